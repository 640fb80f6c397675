// The HTML report: reads the data block and draws the summary, the calls and the resources.
//
// Three rules hold throughout. What the data says is only ever text (textContent, never markup). Nothing
// recurses and no list is drawn whole: a recording may hold 200,000 nodes, 100,000 levels deep. And an
// unknown value stays a gap; it is never drawn as 0.
(() => {
"use strict";

const NONE = -1;
const HOT_SHARE = 0.05;      // the hot path: calls that take this much of their thread
const FOLD_SHARE = 0.01;     // smaller calls share one row until asked for
const HOT_ROWS = 40;         // rows opened on load in the largest thread ...
const OTHER_ROWS = 12;       // ... and in the others
const OPEN_THREADS = 4;
const PAGE = 100;            // children, or threads, shown at a time
const EXPAND_ROWS = 2000;    // where "expand" stops: beyond it the page gets slow, not clearer
const INDENT_LEVELS = 40;    // deeper rows stop moving right and show their level instead
const REVEAL_LEVELS = 200;   // a search hit deeper than this below the open rows is shown on its own
const REVEAL_PAGES = 10;
const NAME_LENGTH = 300;
const PATH_LENGTH = 44;

// ---- Text -----------------------------------------------------------------------------------------

/** `text` with everything that would hide or reorder it (control, bidi, zero-width) spelled as \uXXXX. */
function visible(text) {
  return String(text).replace(
    /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
    (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
}

const clip = (text, length) => text.length > length ? text.slice(0, length - 1) + "…" : text;
const grouped = (number) => number.toLocaleString("en-US");
const plural = (count, one, many) => `${grouped(count)} ${count === 1 ? one : many}`;

/** A path that fits: the first folder and as many of the last ones as there is room for. */
function shortPath(path) {
  if (path.length <= PATH_LENGTH) return path;
  const parts = path.split(/(?<=[/\\])/);
  const head = parts[0].length > 1 ? parts[0] : parts.slice(0, 2).join("");
  let tail = parts.pop();
  while (parts.length && head.length + 2 + parts[parts.length - 1].length + tail.length <= PATH_LENGTH) {
    tail = parts.pop() + tail;
  }
  if (head.length + 2 + tail.length <= PATH_LENGTH) return head + "…/" + tail;
  return tail.length <= PATH_LENGTH ? "…/" + tail
    : tail.slice(0, PATH_LENGTH / 2 - 1) + "…" + tail.slice(-PATH_LENGTH / 2);
}

const timeUnit = (ns) => ns >= 1e9 ? [1e9, "s"] : ns >= 1e6 ? [1e6, "ms"] : [1e3, "µs"];
const digitsFor = (value) => value >= 1000 ? 0 : value >= 100 ? 1 : value >= 10 ? 2 : 3;

function formatTime(ns) {
  if (ns === 0) return "0 s";
  const [divide, unit] = timeUnit(ns), value = ns / divide;
  return `${value.toLocaleString("en-US", fixed(digitsFor(value)))} ${unit}`;
}

function formatShare(share) {
  if (share > 0 && share < 0.0005) return "<0.1";
  return (share * 100).toFixed(1);
}

const fixed = (digits) => ({ minimumFractionDigits: digits, maximumFractionDigits: digits });

function formatNumber(value) {
  const size = Math.abs(value);
  return (value + 0).toLocaleString("en-US", fixed(size >= 100 || size === 0 ? 0 : size >= 10 ? 1 : 2));   // + 0: no "-0"
}

// ---- DOM ------------------------------------------------------------------------------------------

const byId = (id) => document.getElementById(id);

function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

function svg(tag, attributes = {}, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text) made.textContent = text;
  return made;
}

// ---- Theme ----------------------------------------------------------------------------------------

/** Follows the system until the reader chooses. Storage may be denied (file://, a notebook frame). */
function startTheme() {
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = stored();
  const apply = () => {
    const theme = chosen || (system.matches ? "dark" : "light");
    document.documentElement.dataset.theme = theme;
    const button = byId("theme");
    if (!button) return;
    button.hidden = false;
    button.textContent = theme === "dark" ? "Light theme" : "Dark theme";
  };
  const toggle = () => {
    chosen = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    try { localStorage.setItem("jumper-theme", chosen); } catch { /* lasts as long as the page */ }
    apply();
  };
  system.addEventListener("change", apply);
  apply();   // before the page is parsed, so that it never flashes white
  return () => { apply(); byId("theme").addEventListener("click", toggle); };

  function stored() {
    try {
      const theme = localStorage.getItem("jumper-theme");
      return theme === "dark" || theme === "light" ? theme : null;
    } catch { return null; }
  }
}

// ---- Summary --------------------------------------------------------------------------------------

function drawSummary(report) {
  document.title = visible(document.title);
  byId("program").textContent = clip(visible(report.program), 1000);
  byId("recorded").textContent = visible(report.recorded);
  byId("outcome").textContent = visible(report.outcome);
  byId("outcome").classList.toggle("unusual", report.outcome !== "finished");
  for (const { label, value } of report.facts) {
    const fact = element("div");
    fact.append(element("dt", "", visible(label)), element("dd", "", visible(value)));
    byId("facts").append(fact);
  }
  byId("foot").textContent = `Recorded with Jumper ${visible(report.jumper)}.`;
}

// ---- The arena ------------------------------------------------------------------------------------

/** All threads' nodes as columns; a node is an index. */
class Arena {
  constructor(nodes, files) {
    this.files = files;
    this.name = nodes.name;
    this.file = nodes.file;
    this.line = nodes.line;
    this.time = nodes.time_ns;
    this.self = nodes.self_ns;
    this.first = nodes.first_child;
    this.next = nodes.next_sibling;
    this.parent = nodes.parent;
  }

  /** How many siblings follow from `node` on, itself included, and their time together. */
  rest(node) {
    let count = 0, time = 0;
    for (let at = node; at !== NONE; at = this.next[at]) { count++; time += this.time[at]; }
    return { count, time };
  }

  depth(node) {
    let levels = 0;
    for (let at = this.parent[node]; at !== NONE; at = this.parent[at]) levels++;
    return levels;
  }

  /** The node after `node` in the order in which the rows stand, or NONE at the end of its thread. */
  following(node) {
    if (this.first[node] !== NONE) return this.first[node];
    let at = node;
    while (at !== NONE && this.next[at] === NONE) at = this.parent[at];
    return at === NONE ? NONE : this.next[at];
  }

  /** Where a node's code is: what to show, and all of it. */
  place(node) {
    const file = this.file[node], path = visible(this.files.path[file]);
    const line = path && this.line[node] > 0 ? ":" + this.line[node] : "";
    return { short: shortPath(visible(this.files.short[file])) + line, full: clip(path + line, 2000) };
  }
}

// ---- Search ---------------------------------------------------------------------------------------

/** Finds functions by name. A keystroke costs one pass over the different functions, not over the nodes. */
class Search {
  constructor(arena) {
    this.arena = arena;
    this.query = "";
    this.functions = null;
  }

  set(text) {
    this.query = text.trim().toLowerCase();
    if (!this.query) return null;
    this.functions ??= this.#index();
    const found = { functions: 0, places: 0, self: 0 };
    for (const entry of this.functions.all) {
      entry.hit = entry.lower.includes(this.query);
      if (!entry.hit) continue;
      found.functions++;
      found.places += entry.places;
      found.self += entry.self;
    }
    return found;
  }

  matches(node) {
    return this.query !== "" && this.arena.parent[node] !== NONE && this.functions.of[node].hit;
  }

  /** Built at the first search; a node without a parent is a thread, not a function. */
  #index() {
    const { arena } = this, known = new Map(), of = new Array(arena.name.length);
    for (let node = 0; node < of.length; node++) {
      if (arena.parent[node] === NONE) continue;
      const key = arena.name[node] + "\0" + arena.file[node];
      let entry = known.get(key);
      if (!entry) {
        const lower = shownName(arena.name[node]).toLowerCase();
        known.set(key, entry = { lower, places: 0, self: 0, hit: false });
      }
      entry.places++;
      entry.self += arena.self[node];
      of[node] = entry;
    }
    return { of, all: [...known.values()] };
  }
}

const shownName = (name) => clip(visible(name), NAME_LENGTH) || "(no name)";

// ---- Calls ----------------------------------------------------------------------------------------

/**
 * One thread's calls as a flat list of rows. The DOM holds their order and each row its level, so depth
 * needs no nesting; a row exists only while its parent is open.
 *
 * A row is { kind, node, level, el, open }: kind "node"; "fold" stands for the siblings from `node` on;
 * "above" for the callers left out when the list starts in the middle of the tree.
 */
class CallTree {
  constructor(arena, thread, search) {
    this.arena = arena;
    this.root = thread.root;
    this.total = arena.time[thread.root];
    this.search = search;
    this.rowOf = new WeakMap();   // element -> row
    this.shown = new Map();       // node -> row
    this.folds = new Map();       // parent -> row for its remaining children
    [this.divide, this.unit] = timeUnit(this.total);
    this.digits = digitsFor(this.total / this.divide);
    this.el = element("div", "tree");
    this.el.setAttribute("role", "treegrid");
    this.el.setAttribute("aria-label", `Calls of ${visible(thread.name)}`);
    this.body = element("div", "rows");
    this.body.setAttribute("role", "rowgroup");
    this.el.append(this.#head(), this.body);
    this.body.addEventListener("click", (event) => this.#clicked(event));
    this.body.addEventListener("keydown", (event) => this.#pressed(event));
    this.body.addEventListener("focusin", (event) => this.activate(this.rowOf.get(event.target)));
  }

  get size() { return this.body.childElementCount; }

  /** Starts the list anew: with the root's children, or with `start` itself. */
  showFrom(start) {
    this.start = start;
    this.base = start === this.root ? 1 : this.arena.depth(start);   // the level that is not indented
    this.shown.clear();
    this.folds.clear();
    this.active = null;
    this.body.textContent = "";
    if (start === this.root) {
      this.body.append(this.#children(start, 1));
    } else {
      this.body.append(this.#aboveRow(start), this.#nodeRow(start, this.base, 1, 1).el);
    }
    this.activate(this.rowOf.get(this.body.firstElementChild));
  }

  /** Opens the largest calls first, until about `rows` rows show. */
  openHotPath(rows) {
    const wide = (node) => node !== NONE && this.arena.time[node] >= HOT_SHARE * this.total;
    const frontier = [...this.shown.values()];
    while (frontier.length && this.size < rows) {
      const hottest = frontier.reduce((best, row, i) =>
        this.arena.time[row.node] > this.arena.time[frontier[best].node] ? i : best, 0);
      const row = frontier.splice(hottest, 1)[0];
      const first = this.arena.first[row.node];
      if (!wide(first)) continue;
      this.open(row);
      for (let child = first; wide(child) && this.shown.has(child); child = this.arena.next[child]) {
        frontier.push(this.shown.get(child));
      }
    }
  }

  /** Opens every call of 1 % or more; false when `rows` rows were reached first. */
  openLarge(rows) {
    for (let el = this.body.firstElementChild; el; el = el.nextElementSibling) {
      const row = this.rowOf.get(el);
      if (row.kind !== "node" || row.open !== false) continue;
      if (this.arena.time[this.arena.first[row.node]] < FOLD_SHARE * this.total) continue;
      if (this.size >= rows) return false;
      this.open(row);
    }
    return true;
  }

  open(row) {
    if (row.kind !== "node" || row.open !== false) return;
    this.#setOpen(row, true);
    row.el.after(this.#children(row.node, row.level + 1));
  }

  close(row) {
    if (!row.open) return;
    this.#setOpen(row, false);
    for (let el = row.el.nextElementSibling; el && this.rowOf.get(el).level > row.level; el = row.el.nextElementSibling) {
      this.#forget(this.rowOf.get(el));
      el.remove();
    }
    if (!this.active?.el.isConnected) this.activate(row);
  }

  /** Shows `node` and gives its row: opens the way to it, or starts the list there when it lies too deep. */
  reveal(node) {
    if (!this.#openTo(node) && this.start !== this.root) this.showFrom(this.root);
    if (!this.#openTo(node)) this.showFrom(node);
    return this.shown.get(node);
  }

  focus(row) {
    this.activate(row);
    row.el.focus();
  }

  repaintNames() {
    for (const row of this.shown.values()) this.#paintName(row);
  }

  #openTo(node) {
    const { parent } = this.arena, path = [];
    let at = node;
    while (!this.shown.has(at) && !(at === this.start && at === this.root)) {
      if (path.length >= REVEAL_LEVELS || at === NONE) return false;
      path.push(at);
      at = parent[at];
    }
    while (path.length) {
      const child = path.pop();
      if (this.shown.has(parent[child])) this.open(this.shown.get(parent[child]));
      for (let pages = 0; !this.shown.has(child) && pages < REVEAL_PAGES && this.folds.has(parent[child]); pages++) {
        this.#unfold(this.folds.get(parent[child]));
      }
      if (!this.shown.has(child)) return false;
    }
    return true;
  }

  /** The first rows below `parent`: those of 1 % or more, or a page when none is that large. */
  #children(parent, level) {
    const first = this.arena.first[parent], { count } = this.arena.rest(first);
    const fold = FOLD_SHARE * this.total;
    return this.#page(parent, first, level, 1, count, this.arena.time[first] >= fold ? fold : 0);
  }

  /** Up to a page of siblings from `node` on, as long as they take `least`, then one row for the rest. */
  #page(parent, node, level, position, count, least) {
    const made = document.createDocumentFragment(), last = position + PAGE;
    while (node !== NONE && position < last && this.arena.time[node] >= least) {
      made.append(this.#nodeRow(node, level, position++, count).el);
      node = this.arena.next[node];
    }
    this.folds.delete(parent);
    if (node === NONE) return made;
    const alone = this.arena.next[node] === NONE;   // a fold of one would hide it behind its own length
    made.append(alone ? this.#nodeRow(node, level, position, count).el : this.#foldRow(parent, node, level, position, count));
    return made;
  }

  #unfold(row) {
    const page = this.#page(this.arena.parent[row.node], row.node, row.level, row.position, row.count, 0);
    const first = this.rowOf.get(page.firstElementChild);
    row.el.replaceWith(page);
    if (this.active === row || !this.active?.el.isConnected) this.activate(first);
    return first;
  }

  #nodeRow(node, level, position, count) {
    const { arena } = this, time = arena.time[node], share = this.total > 0 ? time / this.total : 0;
    const row = this.#row("node", node, level);
    if (arena.first[node] === NONE) row.el.classList.add("leaf");
    else this.#setOpen(row, false);
    if (share >= 0.2) row.el.classList.add("hot");
    if (share < FOLD_SHARE) row.el.classList.add("small");
    row.el.setAttribute("aria-posinset", position);
    row.el.setAttribute("aria-setsize", count);
    const bar = this.#cell("bar", "");
    bar.style.setProperty("--total", `${share * 100}%`);
    bar.style.setProperty("--self", `${this.total > 0 ? arena.self[node] / this.total * 100 : 0}%`);
    row.el.append(this.#cell("num", this.#number(time)), this.#cell("num share", formatShare(share)), bar,
      this.#cell(arena.self[node] > 0 ? "num self" : "num self zero", this.#number(arena.self[node])), this.#call(row));
    this.shown.set(node, row);
    return row;
  }

  #foldRow(parent, node, level, position, count) {
    const { time } = this.arena.rest(node), left = count - position + 1;
    const row = this.#row("fold", node, level);
    Object.assign(row, { position, count });
    this.folds.set(parent, row);
    return this.#wordsRow(row, `… ${plural(left, "smaller call", "smaller calls")}, ${formatTime(time)}`, time);
  }

  #aboveRow(start) {
    const text = `↑ ${plural(this.base - 1, "caller", "callers")} left out: show the whole thread`;
    return this.#wordsRow(this.#row("above", start, 1), text);
  }

  /** A row that stands for others: a sentence where the name would be. */
  #wordsRow(row, text, time = null) {
    row.el.classList.add("fold", "leaf");
    const call = this.#call(row);
    call.append(element("span", "name", text));
    row.el.append(this.#cell("num", time === null ? "" : this.#number(time)),
      this.#cell("num share", time === null ? "" : formatShare(time / this.total)), this.#cell("", ""), this.#cell("self", ""), call);
    return row.el;
  }

  #row(kind, node, level) {
    const row = { kind, node, level, el: element("div", "row") };
    row.el.setAttribute("role", "row");
    row.el.setAttribute("aria-level", level);
    row.el.tabIndex = -1;
    row.el.style.setProperty("--depth", Math.max(0, Math.min(level - this.base, INDENT_LEVELS)));
    this.rowOf.set(row.el, row);
    return row;
  }

  /** The last cell: indent, triangle and, for a call, its name and place. */
  #call(row) {
    const cell = this.#cell("call", "");
    cell.append(element("span", "indent"), element("span", "twisty"));
    if (row.level > INDENT_LEVELS + 1) {
      row.el.classList.add("deep");
      cell.append(element("span", "level", `level ${grouped(row.level)}`));
    }
    if (row.kind !== "node") return cell;
    row.name = element("span", "name");
    row.name.title = clip(visible(this.arena.name[row.node]), 2000);
    cell.append(row.name, this.#place(row.node));
    this.#paintName(row);
    return cell;
  }

  /** The outer direction makes a place that does not fit lose its start; its end says more. */
  #place(node) {
    const { short, full } = this.arena.place(node), outer = element("span", "place"), inner = element("bdi", "", short);
    inner.dir = "ltr";
    outer.title = full;
    outer.append(inner);
    return outer;
  }

  #paintName(row) {
    const text = shownName(this.arena.name[row.node]), hit = this.search.matches(row.node);
    row.el.classList.toggle("hit", hit);
    const lower = text.toLowerCase(), { query } = this.search;
    // A letter whose lower case is longer (there are some) would shift the mark.
    const at = hit && lower.length === text.length ? lower.indexOf(query) : NONE;
    if (at === NONE) { row.name.textContent = text; return; }
    row.name.replaceChildren(text.slice(0, at), element("mark", "", text.slice(at, at + query.length)), text.slice(at + query.length));
  }

  #cell(className, text, role = "gridcell") {
    const cell = element("div", className, text);
    cell.setAttribute("role", role);
    return cell;
  }

  #number(ns) { return ns === 0 ? "0" : (ns / this.divide).toFixed(this.digits); }

  #head() {
    const row = element("div", "row head"), group = element("div");
    row.setAttribute("role", "row");
    group.setAttribute("role", "rowgroup");
    const titles = [["num", `Time, ${this.unit}`], ["num share", "%"], ["bar-title", ""], ["num self", `Self, ${this.unit}`], ["call", "Function"]];
    for (const [className, text] of titles) row.append(this.#cell(className, text, "columnheader"));
    row.children[2].append(element("span", "aside", "Bar: share of the thread, the darker part in the function itself"));
    group.append(row);
    return group;
  }

  #setOpen(row, open) {
    row.open = open;
    row.el.setAttribute("aria-expanded", open);
  }

  #forget(row) {
    if (row.kind === "node") this.shown.delete(row.node);
    else if (row.kind === "fold") this.folds.delete(this.arena.parent[row.node]);
  }

  /** One row at a time is in the tab order. */
  activate(row) {
    if (!row) return;
    if (this.active) this.active.el.tabIndex = -1;
    this.active = row;
    row.el.tabIndex = 0;
  }

  /** What a click or Enter does; gives the row that should have the focus. */
  #toggle(row) {
    if (row.kind === "fold") return this.#unfold(row);
    if (row.kind === "above") {
      this.showFrom(this.root);
      this.openHotPath(HOT_ROWS);
      return this.active;
    }
    if (row.open) this.close(row); else this.open(row);
    return row;
  }

  #clicked(event) {
    const row = this.rowOf.get(event.target.closest(".row"));
    const selection = getSelection();
    if (!row || (!selection.isCollapsed && row.el.contains(selection.anchorNode))) return;   // selecting text is no click
    this.focus(this.#toggle(row));
  }

  #pressed(event) {
    const row = this.rowOf.get(event.target);
    if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
    const target = this.#targetOf(event.key, row);
    if (target === undefined) return;
    event.preventDefault();
    if (target) this.focus(target);
  }

  /** The row that `key` leads to: null for nowhere, undefined for a key that is not ours. */
  #targetOf(key, row) {
    const at = (el) => this.rowOf.get(el) || null;
    switch (key) {
      case "ArrowDown": return at(row.el.nextElementSibling);
      case "ArrowUp": return at(row.el.previousElementSibling);
      case "Home": return at(this.body.firstElementChild);
      case "End": return at(this.body.lastElementChild);
      case "Enter": case " ": return this.#toggle(row);
      case "ArrowRight":
        if (row.open) return at(row.el.nextElementSibling);
        return row.kind === "above" ? null : row.open === undefined && row.kind === "node" ? null : this.#toggle(row);
      case "ArrowLeft":
        if (row.open) return this.#toggle(row);
        return this.shown.get(this.arena.parent[row.node]) || null;
      default: return undefined;
    }
  }
}

/** A thread: a heading that opens, and its calls once it has been opened. */
class ThreadSection {
  constructor(arena, thread, search, duration) {
    this.thread = thread;
    this.make = () => new CallTree(arena, thread, search);
    this.empty = thread.root === NONE || arena.first[thread.root] === NONE;
    this.el = element("section", "thread");
    const heading = element("h3");
    this.button = element("button", "thread-head");
    this.button.type = "button";
    this.button.append(element("span", this.empty ? "" : "twisty"), element("span", "thread-name", clip(visible(thread.name), NAME_LENGTH)),
      element("span", "muted", `process ${thread.process}, thread ${thread.tid}`), element("span", "thread-time", this.#time(duration)));
    this.button.disabled = this.empty;
    if (!this.empty) this.button.setAttribute("aria-expanded", "false");
    this.button.addEventListener("click", () => this.isOpen ? this.#hide() : this.open(OTHER_ROWS));
    heading.append(this.button);
    this.el.append(heading);
  }

  get isOpen() { return Boolean(this.tree) && !this.tree.el.hidden; }

  open(rows) {
    if (this.empty) return;
    if (!this.tree) {
      this.tree = this.make();
      this.el.append(this.tree.el);
      this.reset(rows);
    }
    this.tree.el.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
  }

  reset(rows) {
    this.tree.showFrom(this.thread.root);
    if (rows) this.tree.openHotPath(rows);
  }

  #hide() {
    this.tree.el.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
  }

  #time(duration) {
    if (this.thread.root === NONE) return "no samples";
    const time = formatTime(this.thread.time_ns);
    if (this.empty) return `${time}, no Python frames`;
    return duration > 0 ? `${time}, ${formatShare(this.thread.time_ns / duration)} % of the recording` : time;
  }
}

/** The calls of all threads, with the toolbar above them. */
class Calls {
  constructor(report) {
    this.arena = new Arena(report.nodes, report.files);
    this.search = new Search(this.arena);
    this.sections = [...report.threads].sort((a, b) => b.time_ns - a.time_ns)
      .map((thread) => new ThreadSection(this.arena, thread, this.search, report.duration_ns));
    const sampled = this.sections.filter((section) => !section.empty);
    if (!sampled.length) { this.#drawEmpty(report); return; }
    this.#drawSections(0);
    sampled.slice(0, OPEN_THREADS).forEach((section, i) => section.open(i ? OTHER_ROWS : HOT_ROWS));
    this.#listen();
  }

  #drawEmpty(report) {
    const threads = report.threads.length ? ` of its ${plural(report.threads.length, "thread", "threads")}` : "";
    byId("threads").append(element("p", "empty", `No stack samples: nothing was sampled${threads} in this recording.`));
    for (const el of byId("toolbar").querySelectorAll(".search, .actions")) el.hidden = true;
  }

  #drawSections(from) {
    const list = byId("threads"), end = from + PAGE;
    list.append(...this.sections.slice(from, end).map((section) => section.el));
    this.drawn = Math.min(end, this.sections.length);
    if (this.drawn === this.sections.length) return;
    const more = element("button", "more-threads", `${plural(this.sections.length - this.drawn, "more thread", "more threads")}`);
    more.addEventListener("click", () => { more.remove(); this.#drawSections(this.drawn); });
    list.append(more);
  }

  #listen() {
    const query = byId("query");
    let waiting = 0;
    const find = () => { waiting = 0; this.#find(query.value); };
    query.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(find, 120); });
    query.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      if (waiting) { clearTimeout(waiting); find(); }
      this.#goToNext();
    });
    byId("next").addEventListener("click", () => this.#goToNext());
    byId("hot").addEventListener("click", () => this.#eachOpen((section, i) => section.reset(i ? OTHER_ROWS : HOT_ROWS)));
    byId("collapse").addEventListener("click", () => this.#eachOpen((section) => section.reset(0)));
    byId("expand").addEventListener("click", () => this.#expand());
  }

  #eachOpen(act) {
    this.#say("");
    this.sections.filter((section) => section.isOpen).forEach(act);
  }

  #expand() {
    let left = EXPAND_ROWS, whole = true;
    this.#eachOpen((section) => {
      whole = section.tree.openLarge(left) && whole;
      left = Math.max(0, left - section.tree.size);
    });
    if (!whole) this.#say(`Stopped at ${grouped(EXPAND_ROWS)} rows. Open the others one by one.`);
  }

  #find(text) {
    const found = this.search.set(text);
    this.found = found;
    this.hit = null;
    byId("next").disabled = !found?.places;
    for (const section of this.sections) section.tree?.repaintNames();
    if (!found) this.#say("");
    else if (!found.places) this.#say("No function has this in its name.");
    else this.#say(`${plural(found.functions, "function", "functions")} in ${plural(found.places, "place", "places")}, ` +
      `self time ${formatTime(found.self)}.`);
  }

  /** Goes to the next match in the order of the rows, through all threads and round again. */
  #goToNext() {
    if (!this.found?.places) return;
    const count = this.sections.length;
    let i = this.hit ? this.hit.i : 0, node = this.hit ? this.arena.following(this.hit.node) : this.sections[0].thread.root;
    for (let tried = 0; tried <= count; tried++) {
      while (node !== NONE && !this.search.matches(node)) node = this.arena.following(node);
      if (node !== NONE) { this.#show(i, node); return; }
      i = (i + 1) % count;
      node = this.sections[i].thread.root;
    }
  }

  #show(i, node) {
    this.hit = { i, node };
    while (i >= this.drawn) document.querySelector(".more-threads").click();
    const section = this.sections[i];
    section.open(0);
    const row = section.tree.reveal(node);
    section.tree.activate(row);   // the focus stays where it is, so that Enter goes on to the next one
    document.querySelector("[aria-current]")?.removeAttribute("aria-current");
    row.el.setAttribute("aria-current", "true");
    row.el.scrollIntoView({ block: "center" });
  }

  #say(text) { byId("found").textContent = text; }
}

// ---- Resources ------------------------------------------------------------------------------------

const PLOT = { left: 58, right: 14, top: 8, bottom: 6, height: 96, axis: 22 };
const LEVELS = ["process", "system", "user", "slurm"];
const SERIES = 5;
const BYTE_SCALES = [[1e12, "TB"], [1e9, "GB"], [1e6, "MB"], [1e3, "kB"]];
const CLOCK_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];

/** The step from 1, 2, 5, 10 ... that cuts `span` into at most `count` parts. */
function niceStep(span, count) {
  const least = span / count, power = 10 ** Math.floor(Math.log10(least));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= least * (1 - 1e-9));
}

function ticks(from, to, step) {
  const made = [];
  for (let i = Math.ceil(from / step - 1e-9); i * step <= to + step * 1e-9; i++) made.push(i * step + 0);   // + 0: no "-0"
  return made;
}

/** A moment as a clock shows it; `step` says how fine: 0.25 s, 1:05, 2:00:05. */
function formatMoment(seconds, step, end) {
  if (end < 60) {
    const [scale, unit] = end < 1 ? [1e3, "ms"] : [1, "s"];
    return `${(seconds * scale).toFixed(Math.max(0, -Math.floor(Math.log10(step * scale) + 1e-9)))} ${unit}`;
  }
  const whole = Math.floor(seconds + 1e-9), two = (number) => String(number).padStart(2, "0");
  const rest = `${two(whole % 60)}${step < 1 ? (seconds - whole).toFixed(1).slice(1) : ""}`;
  const minutes = Math.floor(whole / 60) % 60, hours = Math.floor(whole / 3600);
  return end < 3600 ? `${minutes}:${rest}` : `${hours}:${two(minutes)}:${rest}`;
}

/** One metric over time, a line for each level. */
class Chart {
  constructor(metrics) {
    this.taken = new Set();
    this.lines = metrics.map((metric) => this.#line(metric));
    const known = this.lines.filter((line) => line.count);
    const low = Math.min(0, ...known.map((line) => line.min)), high = Math.max(0, ...known.map((line) => line.max));
    [this.divide, this.unit] = this.#scale(visible(metrics[0].unit), Math.max(high, -low));
    const span = high - low || 2 * this.divide;   // nothing but 0 still gets an axis
    this.step = niceStep(span / this.divide, 3) * this.divide;
    this.low = Math.floor(low / this.step + 1e-9) * this.step;
    this.high = Math.ceil((low + span) / this.step - 1e-9) * this.step;
    this.el = element("div", "chart");
    this.svg = svg("svg", { class: "plot", "aria-hidden": "true" });
    this.el.append(this.#legend(clip(visible(metrics[0].label || metrics[0].name), 80)), this.svg);
  }

  draw(width, view) {
    const bottom = PLOT.height - PLOT.bottom, tall = bottom - PLOT.top;
    this.y = (value) => bottom - (value - this.low) / (this.high - this.low) * tall;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${PLOT.height}`);
    this.svg.replaceChildren();
    for (const time of view.ticks) {
      const x = Math.round(view.x(time));
      this.svg.append(svg("line", { class: "grid faint", x1: x, x2: x, y1: 0, y2: bottom }));
    }
    for (const value of ticks(this.low, this.high, this.step)) {
      const y = Math.round(this.y(value));
      this.svg.append(svg("line", { class: "grid", x1: PLOT.left, x2: width - PLOT.right, y1: y, y2: y }),
        svg("text", { x: PLOT.left - 8, y: y + 4, "text-anchor": "end" }, this.#tick(value)));
    }
    for (const line of this.lines) {
      this.svg.append(svg("path", { class: `line series-${line.series}`, d: this.#path(line, view) }));
    }
    this.cursor = svg("line", { class: "cursor", y1: 0, y2: PLOT.height, visibility: "hidden" });
    this.points = this.lines.map((line) => svg("circle", { class: `point series-${line.series}`, r: 4, visibility: "hidden" }));
    this.svg.append(this.cursor, ...this.points);
  }

  /** Moves the cursor to `time`; null takes it away. */
  point(time, view) {
    place(this.cursor, time === null ? null : { x1: view.x(time), x2: view.x(time) });
    this.lines.forEach((line, i) => {
      const at = time === null ? NONE : nearest(line.time, time), value = at === NONE ? null : line.value[at];
      line.now.textContent = time === null ? "" : this.format(value);
      place(this.points[i], value === null ? null : { cx: view.x(line.time[at]), cy: this.y(value) });
    });
  }

  /** "CPU process 45.2 %", for the reader that cannot see the cursor. */
  words() {
    return `${this.title}: ${this.lines.map((line) => `${line.level} ${line.now.textContent}`).join(", ")}`;
  }

  format(value) {
    return value === null ? "unknown" : `${formatNumber(value / this.divide)}${this.unit ? " " + this.unit : ""}`;
  }

  #line(metric) {
    const wanted = LEVELS.indexOf(metric.level);
    let series = wanted === NONE ? SERIES - 1 : wanted;
    for (let tried = 0; this.taken.has(series) && tried < SERIES; tried++) series = (series + 1) % SERIES;
    this.taken.add(series);
    const line = { level: clip(visible(metric.level), 40), series, time: metric.time_ns, value: metric.value, count: 0, sum: 0, min: Infinity, max: -Infinity };
    for (const value of metric.value) {
      if (value === null) continue;
      line.count++;
      line.sum += value;
      line.min = Math.min(line.min, value);
      line.max = Math.max(line.max, value);
    }
    return line;
  }

  /** Bytes get the prefix that suits the largest value, so that the ticks stay round. */
  #scale(unit, largest) {
    const bytes = /^(?:B|bytes?)(\/s)?$/i.exec(unit);
    const scale = bytes && BYTE_SCALES.find(([size]) => largest >= size);
    return scale ? [scale[0], scale[1] + (bytes[1] || "")] : [1, unit];
  }

  #tick(value) {
    const step = this.step / this.divide;
    return (value / this.divide).toLocaleString("en-US", fixed(Math.min(6, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)))));
  }

  /**
   * The line as a path. Many points per pixel become that pixel's lowest and highest, in their order, so that
   * no peak is lost; a null ends the stroke, and a value between two nulls is a dot.
   */
  #path(line, view) {
    const parts = [];
    let up = true;
    const to = (i) => {
      const x = view.x(line.time[i]).toFixed(1), y = this.y(line.value[i]).toFixed(1);
      parts.push(up ? `M${x} ${y}h0` : `L${x} ${y}`);
      up = false;
    };
    for (let i = 0; i < line.value.length;) {
      if (line.value[i] === null) { up = true; i++; continue; }
      const pixel = Math.floor(view.x(line.time[i]));
      let low = i, high = i, end = i + 1;
      while (end < line.value.length && line.value[end] !== null && Math.floor(view.x(line.time[end])) === pixel) {
        if (line.value[end] < line.value[low]) low = end;
        if (line.value[end] > line.value[high]) high = end;
        end++;
      }
      to(Math.min(low, high));
      if (low !== high) to(Math.max(low, high));
      i = end;
    }
    return parts.join("");
  }

  #legend(title) {
    const legend = element("div", "legend"), heading = element("h3", "", title);
    this.title = title;
    if (this.unit) heading.append(element("span", "muted", `, ${this.unit}`));
    legend.append(heading);
    for (const line of this.lines) {
      const item = element("div", "legend-item"), key = svg("svg", { viewBox: "0 0 22 8", "aria-hidden": "true" });
      key.append(svg("line", { class: `line series-${line.series}`, x1: 0, x2: 22, y1: 4, y2: 4 }));
      line.now = element("span", "now");
      const values = element("span", "values");   // one place for both: the cursor's value covers the summary
      values.append(element("span", "muted", this.#summary(line)), line.now);
      item.append(key, element("span", "", line.level), values);
      legend.append(item);
    }
    return legend;
  }

  #summary(line) {
    if (!line.count) return "no known value";
    const [min, avg, max] = [line.min, line.sum / line.count, line.max].map((value) => formatNumber(value / this.divide));
    return `min ${min}, avg ${avg}, max ${max}`;
  }
}

/** Puts an SVG shape somewhere, or takes it away. */
function place(shape, attributes) {
  shape.setAttribute("visibility", attributes ? "visible" : "hidden");
  for (const [name, value] of Object.entries(attributes || {})) shape.setAttribute(name, value);
}

/** The index of the time nearest to `time` in a sorted list. */
function nearest(times, time) {
  let low = 0, high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < time) low = middle + 1; else high = middle;
  }
  if (low === times.length) return times.length - 1;
  return low > 0 && time - times[low - 1] <= times[low] - time ? low - 1 : low;
}

/** All charts over one time axis, with one cursor through them. */
class Charts {
  constructor(metrics, duration) {
    const groups = new Map();
    for (const metric of metrics) groups.set(metric.name, [...(groups.get(metric.name) || []), metric]);
    this.charts = [...groups.values()].map((group) => new Chart(group));
    this.start = Math.min(0, ...metrics.map((metric) => metric.time_ns[0] ?? 0));
    this.end = Math.max(duration, this.start + 1, ...metrics.map((metric) => metric.time_ns.at(-1) ?? 0));
    this.el = byId("charts");
    this.el.className = "charts";
    this.el.tabIndex = 0;
    this.el.setAttribute("role", "group");
    this.el.setAttribute("aria-label", "Resources over time. The left and right arrow keys move the cursor.");
    this.axis = svg("svg", { class: "plot", "aria-hidden": "true" });
    this.spoken = element("p", "aside");
    this.spoken.setAttribute("role", "status");
    const head = element("div", "axis");
    head.append(this.axis);
    this.el.append(head, ...this.charts.map((chart) => chart.el), this.spoken);
    this.#listen();
  }

  #listen() {
    this.el.addEventListener("pointermove", (event) => this.#pointAt(event.clientX));
    this.el.addEventListener("pointerleave", () => this.#point(null));
    this.el.addEventListener("blur", () => this.#point(null));
    this.el.addEventListener("keydown", (event) => this.#pressed(event));
    let asked = false;   // draw in a frame of its own: drawing inside the observer would call it again
    new ResizeObserver(() => {
      if (asked) return;
      asked = true;
      requestAnimationFrame(() => { asked = false; this.#draw(); });
    }).observe(this.el);
  }

  #draw() {
    const width = Math.round(this.axis.getBoundingClientRect().width);
    if (!width || width === this.width) return;
    this.width = width;
    const inner = width - PLOT.left - PLOT.right;
    this.tickStep = this.#tickStep(Math.max(2, Math.floor(inner / 84)));
    this.view = {
      x: (time) => PLOT.left + (time - this.start) / (this.end - this.start) * inner,
      ticks: ticks(this.start, this.end, this.tickStep * 1e9),
    };
    this.#drawAxis();
    for (const chart of this.charts) chart.draw(width, this.view);
    this.#point(null);
  }

  /** Seconds from tick to tick for at most `parts` parts: decimal below a minute, a clock's above. */
  #tickStep(parts) {
    const span = (this.end - this.start) / 1e9, least = span / parts;
    if (span < 60) return niceStep(span, parts);
    return CLOCK_STEPS.find((step) => step >= least) || Math.ceil(least / 86400) * 86400;
  }

  #drawAxis() {
    this.axis.setAttribute("viewBox", `0 0 ${this.width} ${PLOT.axis}`);
    this.axis.replaceChildren();
    for (const time of this.view.ticks) {
      const x = Math.round(this.view.x(time)), anchor = x > this.width - 30 ? "end" : "middle";
      this.axis.append(svg("line", { class: "grid", x1: x, x2: x, y1: PLOT.axis - 5, y2: PLOT.axis }),
        svg("text", { x, y: 13, "text-anchor": anchor }, formatMoment(time / 1e9, this.tickStep, this.end / 1e9)));
    }
    this.back = svg("rect", { class: "cursor-back", y: 0, width: 84, height: PLOT.axis - 5, visibility: "hidden" });
    this.label = svg("text", { class: "cursor-time", y: 13, "text-anchor": "middle", visibility: "hidden" });
    this.axis.append(this.back, this.label);
  }

  #pointAt(clientX) {
    if (!this.view) return;
    const x = clientX - this.axis.getBoundingClientRect().left;
    const share = (x - PLOT.left) / (this.width - PLOT.left - PLOT.right);
    this.#point(share < 0 || share > 1 ? null : this.start + share * (this.end - this.start));
  }

  #pressed(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10 }[event.key];
    if (!step || !this.view) return;
    event.preventDefault();
    const at = (this.time ?? this.start) + step * (this.end - this.start) / 100;
    this.#point(Math.min(this.end, Math.max(this.start, at)));
    this.spoken.textContent = `${this.label.textContent}. ${this.charts.map((chart) => chart.words()).join("; ")}`;
  }

  #point(time) {
    this.time = time;
    if (!this.view) return;
    this.el.classList.toggle("pointing", time !== null);
    for (const chart of this.charts) chart.point(time, this.view);
    const x = time === null ? 0 : Math.min(this.width - 42, Math.max(42, this.view.x(time)));
    place(this.back, time === null ? null : { x: x - 42 });
    place(this.label, time === null ? null : { x });
    if (time !== null) this.label.textContent = formatMoment(time / 1e9, this.tickStep / 100, this.end / 1e9);
  }
}

function drawResources(report) {
  if (report.metrics.length) return new Charts(report.metrics, report.duration_ns);
  byId("charts").append(element("p", "empty", "No resource metrics: this recording has none."));
  return null;
}

// ---- Start ----------------------------------------------------------------------------------------

function draw() {
  const report = JSON.parse(byId("report-data").textContent);
  if (report.version !== 1) throw new Error(`data version ${report.version} is not known to this page`);
  drawSummary(report);
  byId("report").hidden = false;
  document.body.classList.toggle("both", report.metrics.length > 0);
  new Calls(report);
  drawResources(report);
}

const themeReady = startTheme();
document.addEventListener("DOMContentLoaded", () => {
  themeReady();
  try {
    draw();
  } catch (error) {
    byId("problem").textContent = `The report cannot be shown: ${visible(error.message)}`;
    byId("problem").hidden = false;
    throw error;
  }
});
})();
