// A browser opens the explorer: it must render, run a query as a demo member, complain of nothing, and ask no other server.
// With COMMONS_TOY set, a small schema in this script answers /graphql, so that the page can be tried without the real server.
import { graphql, buildSchema } from 'graphql';
import { chromium } from 'playwright-core';

import { fail, need, pass, url } from './api.mjs';

const toy = process.env.COMMONS_TOY && buildSchema(`
  type Query { viewer: Member spaces(first: Int): SpaceConnection! }
  type Subscription { threadEvents(threadId: ID!): ThreadEvent! }
  type ThreadEvent { cursor: ID! }
  type Member { id: ID! name: String! }
  type SpaceConnection { edges: [SpaceEdge!]! pageInfo: PageInfo! }
  type SpaceEdge { node: Space! }
  type PageInfo { hasNextPage: Boolean! endCursor: String }
  type Space { id: ID! name: String! kind: String! threads(first: Int): ThreadConnection! }
  type ThreadConnection { edges: [ThreadEdge!]! }
  type ThreadEdge { node: Thread! }
  type Thread { id: ID! title: String! postCount: Int! }
`);
const toyData = {
  viewer: { id: 'mbr_1', name: 'Ada' },
  spaces: { edges: [{ node: { id: 'spc_1', name: 'Network', kind: 'NETWORK', threads: { edges: [] } } }], pageInfo: { hasNextPage: false } },
};

const browser = await chromium.launch({
  executablePath: need('CHROMIUM', 'the path of a Chromium'),
  // The first is needed by root; the others keep the browser itself from asking for updates.
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
setTimeout(() => fail('not done within 90 s'), 90_000).unref();

const problems = [];
const requested = [];
const authorizations = new Set();
const inits = []; // what each socket said of who asks
const subscribed = [];
const sent = ({ type, payload }) => {
  if (type === 'connection_init') inits.push(payload?.authorization);
  if (type === 'subscribe') subscribed.push(payload);
};
let picture = async () => {};

async function visit() {
  const page = await browser.newPage({ viewport: { width: 1400, height: 850 } });
  if (process.env.SCREENSHOT) picture = () => page.screenshot({ path: process.env.SCREENSHOT });
  page.on('request', (request) => requested.push(request.url()));
  page.on('pageerror', (error) => problems.push(`exception: ${error.stack}`));
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && problems.push(`console: ${message.text()}`));
  page.on('websocket', (socket) => {
    requested.push(socket.url());
    socket.on('framesent', ({ payload }) => sent(JSON.parse(payload)));
  });
  if (toy) {
    await page.route('**/graphql', async (route) => {
      const { query, variables, operationName } = route.request().postDataJSON();
      route.fulfill({ json: await graphql({ schema: toy, source: query, variableValues: variables, operationName, rootValue: toyData }) });
    });
    await page.route('**/auth/session', (route) => route.fulfill({ json: { member: null } }));
    await page.routeWebSocket('**/graphql', (socket) => socket.onMessage((text) => {
      const message = JSON.parse(text);
      sent(message);
      if (message.type === 'connection_init') socket.send(JSON.stringify({ type: 'connection_ack' }));
      if (message.type === 'subscribe') {
        socket.send(JSON.stringify({ type: 'next', id: message.id, payload: { data: { threadEvents: { __typename: 'PostCreated', cursor: 'c41' } } } }));
      }
    }));
  }
  page.on('request', (request) => request.url().endsWith('/graphql') && authorizations.add(request.headers().authorization));
  await page.goto(url('/'));

  // The page is up when the schema has arrived: the documentation can then be opened.
  await page.getByRole('button', { name: 'Execute query' }).waitFor();
  await page.locator('.graphiql-query-editor .view-line', { hasText: 'Welcome' }).first().waitFor();
  const tabs = await page.locator('.graphiql-tab').allTextContents();
  if (tabs.length !== 3) fail(`the page opens the tabs ${JSON.stringify(tabs)}, want 3`);

  await page.getByRole('button', { name: 'Execute query' }).click();
  await page.locator('.result-window .view-line', { hasText: '"viewer"' }).waitFor();
  const answer = await page.locator('.result-window').innerText();
  if (/"errors"/.test(answer)) fail(`the first example answers with errors: ${answer}`);
  await page.getByRole('button', { name: /Documentation Explorer/ }).click();
  await page.locator('.graphiql-doc-explorer').getByText('Query', { exact: true }).first().waitFor();
  await picture();

  // The third tab listens, over a websocket that says who asks in its first message. Which operation a tab holds GraphiQL finds out
  // a moment after it opens; until then it would ask for the one of the tab before. Hence the wait, and more than one try.
  await page.locator('.graphiql-tab').getByText('ThreadEvents').click();
  await page.locator('.graphiql-query-editor .view-line', { hasText: 'subscription' }).waitFor();
  await page.waitForTimeout(1500);
  for (let tries = 0; subscribed.length === 0 && tries < 10; tries++) {
    await page.getByRole('button', { name: 'Execute query' }).click();
    await page.waitForTimeout(500);
  }
  if (subscribed.length === 0) fail('the page sent no subscription');
  if (inits.length !== 1 || !authorizations.has(inits[0])) fail(`the socket says ${inits}, HTTP says ${[...authorizations]}`);
  if (toy) await page.locator('.result-window .view-line', { hasText: 'c41' }).waitFor();
  return page;
}

try {
  const page = await visit();
  const chosen = await page.getByLabel('Ask as').inputValue().catch(() => fail('the page offers no demo member'));
  const token = await page.getByLabel('Access token').inputValue();
  if (!chosen || !token || !authorizations.has(`Bearer ${token}`)) fail(`asked as ${chosen} with ${[...authorizations]}`);
} catch (error) {
  await picture();
  fail(`${error.stack}\n${problems.join('\n')}`);
}
await browser.close();

const own = new URL(url('/')).host;
const outside = requested.filter((address) => !/^(data|blob):/.test(address) && new URL(address).host !== own);
if (outside.length > 0) fail(`the page asks other servers: ${outside.join(', ')}`);
if (problems.length > 0) fail(`the page complains:\n${problems.join('\n')}`);
pass(`the explorer renders and answers; ${requested.length} requests, all to ${own}`);
