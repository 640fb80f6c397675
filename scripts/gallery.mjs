// Screenshots of pages: node gallery.mjs SHOTS.json, a list of {url, out, width, height, dark, full}.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const shots = JSON.parse(readFileSync(process.argv[2], "utf8"));
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
});
for (const { url, out, width, height, dark, full } of shots) {
  const page = await browser.newPage({
    viewport: { width, height },
    colorScheme: dark ? "dark" : "light",
  });
  await page.goto(url);
  // Drawn when the browser is idle.
  await page.waitForTimeout(500);
  // An SVG has a height of its own.
  const ownHeight = await page.evaluate(() => document.documentElement.height?.baseVal.value);
  const clip = ownHeight && { x: 0, y: 0, width, height: Math.min(height, ownHeight) };
  await page.screenshot({ path: out, fullPage: full, ...(clip && { clip }) });
  await page.close();
  console.log(out);
}
await browser.close();
