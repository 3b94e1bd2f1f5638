import threadEvents from '../../apitest/operations/thread-events.graphql?raw';
import threadPage from '../../apitest/operations/thread-page.graphql?raw';

const welcome = `# Welcome to Commons. Ctrl-Enter asks the server.
#
# This asks who you are, and which threads are
# where. Copy a thread's id into the variables of
# the next two tabs: one reads the thread, one
# listens to it. Then post in it from another
# window, and watch the post arrive.

query Welcome {
  viewer { id name }
  spaces(first: 10) {
    edges {
      node {
        id
        name
        kind
        threads(first: 5) {
          edges { node { id title postCount } }
        }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}
`;

const variables = (value) => JSON.stringify(value, null, 2);

// tabs are what a newcomer finds open. thread is the id of a thread to try, or empty.
export function tabs(thread) {
  const id = thread || 'thr_… (from the first tab)';
  return [
    { query: welcome, variables: '' },
    { query: threadPage, variables: variables({ id, first: 20 }) },
    { query: threadEvents, variables: variables({ thread: id }) },
  ];
}
