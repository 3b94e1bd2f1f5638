import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { createClient } from 'graphql-ws';

// connect makes the one way to the server for a token: queries and mutations over HTTP, subscriptions over a websocket that
// opens with the first of them. An empty token asks as nobody.
export function connect(token) {
  const authorization = token && `Bearer ${token}`;
  const socket = createClient({
    url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql`,
    connectionParams: authorization ? { authorization } : undefined,
  });
  const fetcher = createGraphiQLFetcher({
    url: '/graphql',
    headers: authorization ? { authorization } : {},
    wsClient: socket,
    enableIncrementalDelivery: false,
  });
  return { fetcher, close: () => socket.dispose() };
}
