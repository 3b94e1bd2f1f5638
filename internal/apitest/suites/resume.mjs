// The npm client graphql-ws subscribes to a thread, is cut, comes back with after, and receives exactly what it missed.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

import { ask, authorization, fail, need, operations, pass, url } from './api.mjs';

const thread = need('COMMONS_THREAD', 'the id of a thread in which the token may post');
const documents = operations();
setTimeout(() => fail('not done within 60 s'), 60_000).unref();

// sockets are all that the clients below ever opened; the last one is the one to cut.
const sockets = [];
class Socket extends WebSocket {
  constructor(...args) {
    super(...args);
    sockets.push(this);
  }
}
// cut ends the connection as a lost network does, without the closing handshake.
const cut = () => sockets.at(-1).terminate();

// The client with its defaults: five attempts with a growing pause, and the failures that it takes as final.
const newClient = () => createClient({
  url: url('/graphql').replace(/^http/, 'ws'),
  connectionParams: { authorization: authorization() },
  webSocketImpl: Socket,
});

const posted = []; // seq numbers, in order
async function post(count) {
  for (let i = 0; i < count; i++) {
    const { createPost } = await ask(documents['create-post'], {
      input: { threadId: thread, body: `Post ${posted.length + 1} of the test.`, idempotencyKey: crypto.randomUUID() },
    });
    if (createPost.errors.length > 0) fail(`createPost: ${JSON.stringify(createPost.errors)}`);
    posted.push(createPost.post.seq);
  }
}

// Stream collects the posts of one subscription. Variables are shared with the client, which sends them again when it
// retries: moving "after" along is all that an application has to do to resume.
class Stream {
  seqs = [];
  #waiting = [];
  constructor(client, after) {
    this.variables = { thread, after };
    this.stop = client.subscribe({ query: documents['thread-events'], variables: this.variables }, {
      next: ({ data, errors }) => {
        if (errors) fail(`the subscription got errors: ${JSON.stringify(errors)}`);
        const event = data.threadEvents;
        if (!event.cursor) fail(`an event without a cursor: ${JSON.stringify(event)}`);
        this.variables.after = event.cursor;
        if (event.__typename !== 'PostCreated') return;
        this.seqs.push(event.post.seq);
        this.#waiting.splice(0).forEach((wake) => wake());
      },
      error: (error) => fail(`the subscription ended: ${error.message ?? error.reason ?? JSON.stringify(error)}`),
      complete: () => {},
    });
  }
  async have(count) {
    while (this.seqs.length < count) await new Promise((wake) => this.#waiting.push(wake));
  }
}

function same(what, got, want) {
  if (JSON.stringify(got) !== JSON.stringify(want)) fail(`${what}: received posts ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
  console.log(`${what}: exactly posts ${JSON.stringify(got)}`);
}

const page = await ask(documents['thread-page'], { id: thread, first: 1 });
if (!page.thread) fail(`the token cannot see thread ${thread}`);

// 1. Cut, away while posts are made, back with a new client.
const first = newClient();
const before = new Stream(first, page.eventCursor);
await post(3);
await before.have(3);
same('subscribed', before.seqs, posted.slice(0, 3));
const last = before.variables.after;
await first.dispose();
await post(4);

// 2. The new client gets what was missed, then what is new; in the middle it is cut again and must come back by itself.
const second = newClient();
const resumed = new Stream(second, last);
await resumed.have(4);
same('back with after', resumed.seqs, posted.slice(3, 7));
cut();
await post(5);
await resumed.have(9);
await post(2);
await resumed.have(11);
same('cut, and back by the client\'s own retry', resumed.seqs, posted.slice(3, 14));
if (sockets.length !== 3) fail(`the clients opened ${sockets.length} sockets, want 3`);

// 3. From the first cursor on, all of it once more, in the same order.
const again = new Stream(second, page.eventCursor);
await again.have(14);
same('all from the first cursor', again.seqs, posted);

// Nothing may come twice either, and a late double would come after one more post at the latest.
await post(1);
await Promise.all([resumed.have(12), again.have(15)]);
same('no doubles', [...resumed.seqs, ...again.seqs], [...posted.slice(3), ...posted]);
resumed.stop();
again.stop();
await second.dispose();
pass(`${posted.length} posts, each received once by each subscription`);
