// A browser signs in with a password, with a link by mail and with an OpenID provider, and each time reloads and signs out; with the
// password it comes from the explorer and asks there. Nothing may complain, no other server may be asked but the provider, and a cookie from before signs nobody in.
import { chromium } from 'playwright-core';

import { fail, need, pass, url } from './api.mjs';

const email = need('COMMONS_EMAIL', "a demo member's address");
const name = need('COMMONS_NAME', "that member's name");
const password = need('COMMONS_PASSWORD', 'their password');
const provider = need('COMMONS_PROVIDER', "the OpenID provider's address, which knows ada with the password verysecure");

const browser = await chromium.launch({
  executablePath: need('CHROMIUM', 'the path of a Chromium'),
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
setTimeout(() => fail('not done within 150 s'), 150_000).unref();

const problems = [];
const requested = [];
const own = new URL(url('/')).host;

// A browser of its own for each way: no cookie comes from another one.
async function open() {
  const context = await browser.newContext({ viewport: { width: 1400, height: 850 } });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on('request', (request) => requested.push(request.url()));
  page.on('pageerror', (error) => problems.push(`exception: ${error.stack}`));
  page.on('console', (message) => {
    // The provider's page is not ours: it has no icon.
    if (['error', 'warning'].includes(message.type()) && !message.location().url.startsWith(provider)) problems.push(`console: ${message.text()} at ${message.location().url}`);
  });
  return { context, page };
}

const session = (context) => context.cookies().then((cookies) => cookies.find((cookie) => cookie.name === 'commons'));

// whoAsks runs the explorer's first example with the cookie only, and returns the member's name that it shows.
async function whoAsks(page) {
  const authorizations = [];
  const listen = (request) => request.url().endsWith('/graphql') && authorizations.push(request.headers().authorization);
  page.on('request', listen);
  await page.getByRole('button', { name: 'Execute query' }).waitFor();
  await page.locator('.graphiql-query-editor .view-line', { hasText: 'Welcome' }).first().waitFor();
  await page.getByRole('button', { name: 'Execute query' }).click();
  await page.locator('.result-window .view-line', { hasText: '"viewer"' }).waitFor();
  page.off('request', listen);
  if (authorizations.some(Boolean)) fail(`the explorer asked with a token: ${authorizations}`);
  return page.locator('.result-window').innerText();
}

const named = (page) => page.locator('#name', { hasText: name }).waitFor();

// through is what everybody does once they are signed in, however: they are known, are so after a reload, and sign out.
async function through(way, context, page, known = named) {
  await known(page);
  const cookie = await session(context);
  if (!cookie?.httpOnly || cookie.sameSite !== 'Lax') fail(`${way}: the cookie is ${JSON.stringify(cookie)}`);
  if ((await page.evaluate(() => document.cookie)).includes('commons')) fail(`${way}: scripts can read the cookie`);
  await page.reload();
  await known(page);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await (known === named ? page.getByLabel('Mail address') : page.getByRole('link', { name: 'Sign in' })).waitFor();
  if (await session(context)) fail(`${way}: the cookie is still there`);

  // Somebody stole the cookie before.
  await context.addCookies([cookie]);
  const answer = await page.request.get(url('/auth/session'));
  if ((await answer.json()).member !== null) fail(`${way}: a cookie from before signing out still signs in`);
  await context.close();
  console.log(`ok: ${way}`);
}

// The page comes back to itself, and says who is signed in.
const signInPage = async (page) => {
  await page.goto(url('/sign-in?next=/sign-in'));
  await page.getByLabel('Mail address').waitFor();
};

try {
  {
    const { context, page } = await open();
    await page.goto(url('/'));
    await page.getByRole('link', { name: 'Sign in' }).click();
    await page.getByLabel('Mail address').fill(email);
    await page.getByLabel('Password').fill('not the password at all');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.locator('#status.bad').waitFor();
    problems.length = 0; // the browser itself reports the refusal
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await through('with a password', context, page, async () => {
      await page.waitForURL(url('/'));
      if (!(await whoAsks(page)).includes(`"${name}"`)) fail(`the explorer does not ask as ${name}`);
    });
  }
  {
    const { context, page } = await open();
    await signInPage(page);
    await page.getByLabel('Mail address').fill(email);
    await page.getByRole('button', { name: 'Mail me a link' }).click();
    await page.getByText('a mail is on its way').waitFor();
    // The mail is sent a moment later.
    const mail = page.locator('article', { hasText: 'Your link to sign in' }).first();
    for (let tries = 0; tries < 40 && !(await mail.isVisible()); tries++) {
      await page.waitForTimeout(250);
      await page.goto(url('/mailbox'));
    }
    const color = await mail.getByRole('link', { name: 'Open the link' }).evaluate((link) => getComputedStyle(link).backgroundColor);
    if (color !== 'rgb(44, 95, 93)') fail(`the mailbox has no style: the button is ${color}`);
    await mail.getByRole('link', { name: 'Open the link' }).click();
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    // The button is there a moment before the page's script has run.
    await page.waitForFunction(() => !location.href.includes('cml_'), null, { timeout: 5000 }).catch(() => fail('the token is still in the address bar'));
    if (await session(context)) fail('opening the link signed in: a scanner would have used it up');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL(url('/'));
    await page.goto(url('/sign-in'));
    await through('with a link by mail', context, page);
  }
  for (const time of ['for the first time', 'again']) {
    const { context, page } = await open();
    await signInPage(page);
    await page.getByRole('link', { name: 'Sign in with Example Health' }).click();
    await page.waitForURL(`${provider}/**`);
    await page.getByLabel('Username').fill('ada');
    await page.getByLabel('Password').fill('verysecure');
    await page.getByRole('button', { name: 'Login' }).click();
    await through(`with an OpenID provider, ${time}`, context, page);
  }
  {
    const { page } = await open();
    await signInPage(page);
    await page.getByRole('link', { name: 'Sign in with Example Health' }).click();
    await page.getByLabel('Username').fill('stranger');
    await page.getByLabel('Password').fill('verysecure');
    await page.getByRole('button', { name: 'Login' }).click();
    await page.getByRole('heading', { name: 'Not signed in' }).waitFor();
    problems.splice(0, problems.length, ...problems.filter((problem) => !problem.includes('401')));
    await page.getByRole('link', { name: 'Back to signing in' }).click();
    await page.getByLabel('Mail address').waitFor();
    if (page.url() !== url('/sign-in')) fail(`back at ${page.url()}`);
    console.log('ok: a stranger whom the provider knows stays outside');
  }
} catch (error) {
  fail(`${error.stack}\n${problems.join('\n')}`);
}
await browser.close();

const outside = requested.filter((address) => !/^(data|blob):/.test(address) && ![own, new URL(provider).host].includes(new URL(address).host));
if (outside.length > 0) fail(`the pages ask other servers: ${outside.join(', ')}`);
if (problems.length > 0) fail(`the pages complain:\n${problems.join('\n')}`);
pass(`signed in in three ways; ${requested.length} requests, all to ${own} and the provider`);
