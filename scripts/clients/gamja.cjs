// Logs in to gamja's page as somebody would, says hello in #lobby and waits for the answer.
//
//   node gamja.cjs PAGE NICK PASSWORD
"use strict";

const { chromium } = require("playwright-core");

const [page_url, nick, password] = process.argv.slice(2);
const ok = (what) => console.log(`  ok  gamja     ${what}`);

async function main() {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
  });
  try {
    // The server's certificate is its own, and this test is not about that.
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const page = await context.newPage();
    page.setDefaultTimeout(30_000);
    await page.goto(page_url);
    await page.fill("input[name=nick]", nick);
    await page.fill("input[name=password]", "not the password");
    await page.click("form button:not([type=button])");
    await page.waitForSelector(".error-text, #error-msg");
    ok("is refused with a wrong password");
    await page.reload();
    await page.fill("input[name=nick]", nick);
    await page.fill("input[name=password]", password);
    await page.click("form button:not([type=button])");
    await page.click("#buffer-list >> text=#lobby");
    ok("logs in and joins #lobby");
    await page.fill("#composer input", "hello from gamja");
    await page.press("#composer input", "Enter");
    await page.waitForSelector("text=hello from gamja");
    ok("sees its own message");
    await page.waitForSelector("text=hello gamja");
    ok("hears alice");
  } finally {
    await browser.close();
  }
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
