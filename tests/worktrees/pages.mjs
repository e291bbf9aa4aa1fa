// What Chromium shows at each URL, as JSON: the three texts of the example's page, once all are there.
// pages.mjs CHROMIUM URL...
import { chromium } from 'playwright-core';

const [executablePath, ...urls] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath });
try {
  const shown = await Promise.all(
    urls.map(async (url) => {
      const page = await browser.newPage();
      await page.goto(url);
      // The API's answer comes last, and may be an error, which belongs to what is shown.
      await page.waitForFunction(() => document.getElementById('api').textContent !== '');
      return page.locator('dd').allTextContents();
    }),
  );
  console.log(JSON.stringify(shown));
} finally {
  await browser.close();
}
