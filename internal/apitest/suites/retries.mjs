// The npm client graphql-ws, with its default retry, through a killed server, a drained one, a sign-in that expires, one that
// is revoked, and a membership that ends: it comes back with nothing missing, or it stops; it never spins.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

import { ask, fail, need, operations, pass } from './api.mjs';

const thread = need('COMMONS_THREAD', 'the id of a thread in which the tokens may read and post');
const control = need('COMMONS_CONTROL', 'the address at which the test kills, drains and revokes');
const socketURL = need('COMMONS_SOCKET_URL', 'the address of the server that is killed and drained, such as ws://127.0.0.1:8080/graphql');
const documents = operations();
setTimeout(() => fail('not done within 120 s'), 120_000).unref();

const pause = (ms) => new Promise((wake) => setTimeout(wake, ms));

async function order(path) {
  const response = await fetch(new URL(path, control), { method: 'POST' });
  const text = await response.text();
  if (!response.ok) fail(`${path}: ${text}`);
  return text;
}

// Watcher is a client with one subscription: which sockets it opened, how they closed, what came, and how it ended.
class Watcher {
  seqs = [];
  sockets = 0;
  closes = [];
  ended = null;
  constructor(token, after) {
    const watcher = this;
    this.variables = { thread, after };
    this.client = createClient({
      url: socketURL,
      connectionParams: { authorization: `Bearer ${token}` },
      webSocketImpl: class extends WebSocket {
        constructor(...args) {
          super(...args);
          watcher.sockets++;
        }
      },
      on: { closed: (event) => this.closes.push(event.code) },
    });
    this.client.subscribe({ query: documents['thread-events'], variables: this.variables }, {
      next: ({ data, errors }) => {
        if (errors) fail(`errors in an event: ${JSON.stringify(errors)}`);
        this.variables.after = data.threadEvents.cursor;
        if (data.threadEvents.__typename === 'PostCreated') this.seqs.push(data.threadEvents.post.seq);
      },
      error: (error) => { this.ended = error; },
      complete: () => { this.ended ??= 'complete'; },
    });
  }
  async have(count, what) {
    for (let i = 0; this.seqs.length < count; i++) {
      if (this.ended) fail(`${what}: the subscription ended with ${JSON.stringify(this.ended.code ?? this.ended)}`);
      if (i > 600) fail(`${what}: ${JSON.stringify(this.seqs)} after 60 s, ${this.sockets} sockets, closed with ${this.closes}`);
      await pause(100);
    }
  }
  async end(what) {
    for (let i = 0; !this.ended; i++) {
      if (i > 100) fail(`${what}: the client did not notice within 10 s`);
      await pause(100);
    }
    const sockets = this.sockets;
    await pause(4_000);
    if (this.sockets !== sockets) fail(`${what}: the client goes on connecting: ${this.sockets - sockets} times in 4 s`);
    return this.ended;
  }
}

let posted = [];
async function post(count) {
  for (let i = 0; i < count; i++) {
    const { createPost } = await ask(documents['create-post'], { input: { threadId: thread, body: 'Hello', idempotencyKey: crypto.randomUUID() } });
    if (createPost.errors.length > 0) fail(`createPost: ${JSON.stringify(createPost.errors)}`);
    posted.push(createPost.post.seq);
  }
}

function same(what, watcher) {
  if (JSON.stringify(watcher.seqs) !== JSON.stringify(posted)) fail(`${what}: got ${JSON.stringify(watcher.seqs)}, want ${JSON.stringify(posted)}`);
  console.log(`${what}: each of ${posted.length} posts once, in order, over ${watcher.sockets} sockets; closed with ${JSON.stringify(watcher.closes)}`);
}

// 1. and 2. Comes back: after a kill, and after a drain, with posts written meanwhile through another replica.
const after = (await ask(documents['thread-page'], { id: thread, first: 1 })).eventCursor;
const watcher = new Watcher(await order('/token'), after);
for (const [what, code] of [['kill', 1006], ['drain', 1012]]) {
  await post(2);
  await watcher.have(posted.length, `before the ${what}`);
  const sockets = watcher.sockets;
  await order(`/${what}`);
  await post(3);
  await order('/start');
  await watcher.have(posted.length, `after the ${what}`);
  same(what, watcher);
  if (watcher.closes[0] !== code) fail(`${what}: closed with ${watcher.closes[0]}, want ${code}`);
  if (watcher.sockets - sockets > 5) fail(`${what}: it took ${watcher.sockets - sockets} sockets`);
  watcher.closes.length = 0;
}

// 3. and 4. Stops: a sign-in that is over does not come back by asking again.
for (const [what, token, act] of [
  ['expiry', '/token?lasts=3s', () => pause(3_000)],
  ['revocation', '/token', (token) => order(`/revoke?token=${token}`)],
]) {
  const value = await order(token);
  posted = [];
  const w = new Watcher(value, (await ask(documents['thread-page'], { id: thread, first: 1 })).eventCursor);
  await post(1);
  await w.have(1, what);
  await act(value);
  const error = await w.end(what);
  if (error.code !== 4401) fail(`${what}: ended with ${JSON.stringify(error.code ?? error)}, want a close with 4401`);
  if (w.sockets !== 1) fail(`${what}: ${w.sockets} sockets`);
  console.log(`${what}: stopped with ${error.code} ${error.reason}, one socket`);
}

// 5. Stops with the reason, and only this subscription: the member may not see the thread any more.
posted = [];
const leaver = new Watcher(await order('/leaver'), (await ask(documents['thread-page'], { id: thread, first: 1 })).eventCursor);
await post(1);
await leaver.have(1, 'before leaving');
await order('/leave');
await post(1);
const error = await leaver.end('leaving');
if (error?.[0]?.extensions?.code !== 'NOT_FOUND') fail(`leaving: ended with ${JSON.stringify(error.code ?? error)}, want NOT_FOUND`);
if (leaver.seqs.length !== 1) fail(`leaving: got ${JSON.stringify(leaver.seqs)}`);
if (leaver.sockets !== 1) fail(`leaving: ${leaver.sockets} sockets`);
pass('the client comes back where it should and stops where it should');
