// Prints a profile of pprof as JSON, as the library pprof-format reads it: what the samples come to, by thread.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { gunzipSync } from "node:zlib";

const [modules, path] = process.argv.slice(2);
const { Profile } = createRequire(`${modules}/`)("pprof-format");
const profile = Profile.decode(gunzipSync(readFileSync(path)));
const text = (index) => profile.stringTable.strings[Number(index)];
const functions = new Map(profile.function.map((found) => [Number(found.id), found]));
const locations = new Map(profile.location.map((found) => [Number(found.id), found]));
const mappings = new Set(profile.mapping.map((found) => Number(found.id)));

const samples = profile.sample.map((sample) => ({
  labels: Object.fromEntries(
    sample.label.map((label) => [text(label.key), Number(label.str) ? text(label.str) : Number(label.num)]),
  ),
  values: sample.value.map(Number),
  stack: sample.locationId.map((id) => {
    const location = locations.get(Number(id));
    if (!mappings.has(Number(location.mappingId))) throw new Error("a location of no mapping");
    const [line] = location.line;
    const found = functions.get(Number(line.functionId));
    return { name: text(found.name), file: text(found.filename), line: Number(line.line) };
  }),
}));
console.log(
  JSON.stringify({
    types: profile.sampleType.map((type) => [text(type.type), text(type.unit)]),
    duration: Number(profile.durationNanos),
    samples,
  }),
);
