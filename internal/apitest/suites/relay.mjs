// The Relay compiler on the SDL: every document of operations/, and what only Relay has: connections, refetching through
// node, and edges that a mutation or a subscription adds to a list.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, printSchema, visit } from 'graphql';

import { fail, operations, pass, schema } from './api.mjs';
import { scalars } from './scalars.mjs';

const relayOnly = {
  ThreadView: [
    `query ThreadViewQuery($space: ID!, $thread: ID!) {
      space: node(id: $space) { ...ThreadViewThreads_space @alias }
      thread: node(id: $thread) { ...ThreadViewPosts_thread @alias }
    }`,
    `fragment ThreadViewThreads_space on Space
      @refetchable(queryName: "ThreadViewThreadsQuery")
      @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "Cursor" }) {
      threads(first: $count, after: $cursor) @connection(key: "ThreadView_threads") {
        edges { node { id title } }
      }
    }`,
    `fragment ThreadViewPosts_thread on Thread
      @refetchable(queryName: "ThreadViewPostsQuery")
      @argumentDefinitions(
        first: { type: "Int" }, after: { type: "Cursor" },
        last: { type: "Int", defaultValue: 20 }, before: { type: "Cursor" }
      ) {
      posts(first: $first, after: $after, last: $last, before: $before) @connection(key: "ThreadView_posts") {
        edges { node { id seq body } }
      }
    }`,
    `mutation ThreadViewReplyMutation($input: CreatePostInput!, $connections: [ID!]!) {
      createPost(input: $input) {
        post @appendNode(connections: $connections, edgeTypeName: "PostEdge") { id seq }
        errors { code message path }
      }
    }`,
    `subscription ThreadViewSubscription($thread: ID!, $after: Cursor, $connections: [ID!]!) {
      threadEvents(threadId: $thread, after: $after) {
        cursor
        ... on PostCreated { post @appendNode(connections: $connections, edgeTypeName: "PostEdge") { id seq } }
      }
    }`,
  ],
};

// module writes documents as the source that Relay reads.
const module = (documents) => `import { graphql } from 'relay-runtime';\n${documents.map((d, i) => `export const d${i} = graphql\`\n${d}\n\`;\n`).join('')}`;

// renamed gives the operation the name that Relay demands: the module's, then the kind.
function renamed(document, name) {
  let text = document;
  visit(parse(document), {
    OperationDefinition({ name: old, operation }) {
      const kind = operation[0].toUpperCase() + operation.slice(1);
      text = text.slice(0, old.loc.start) + name + kind + text.slice(old.loc.end);
    },
  });
  return text.replaceAll('`', "'"); // in comments only; it would end the template
}

const folder = mkdtempSync(join(tmpdir(), 'commons-relay-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const source = join(folder, 'src');
const artifacts = join(folder, 'artifacts');
mkdirSync(source);
mkdirSync(artifacts);
writeFileSync(join(folder, 'schema.graphql'), printSchema(schema()));
for (const [name, documents] of Object.entries(relayOnly)) writeFileSync(join(source, `${name}.ts`), module(documents));
for (const [file, document] of Object.entries(operations())) {
  const name = file.replace(/(^|-)(\w)/g, (_, __, letter) => letter.toUpperCase());
  writeFileSync(join(source, `${name}.ts`), module([renamed(document, name)]));
}
writeFileSync(join(folder, 'relay.config.json'), JSON.stringify({
  src: './src',
  schema: './schema.graphql',
  artifactDirectory: './artifacts',
  language: 'typescript',
  noSourceControl: true,
  customScalarTypes: scalars,
  requireCustomScalarTypes: true,
}));

const result = spawnSync(process.execPath, [join(import.meta.dirname, 'node_modules/relay-compiler/cli.js'), 'relay.config.json'], { cwd: folder, encoding: 'utf8' });
console.log(result.stdout, result.stderr);
const compiled = readdirSync(artifacts).length;
if (result.status !== 0) fail(`relay-compiler ended with ${result.status ?? result.error}`);
if (compiled < Object.keys(operations()).length) fail(`relay-compiler wrote only ${compiled} artifacts`);
pass(`relay-compiler accepts the schema and wrote ${compiled} artifacts`);
