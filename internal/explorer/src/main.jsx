// The explorer: GraphiQL with the documentation, the query builder and the history at its side, and a bar to say who asks.
import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import '@graphiql/plugin-explorer/style.css';
import './page.css';

import { explorerPlugin } from '@graphiql/plugin-explorer';
import { HISTORY_PLUGIN } from '@graphiql/plugin-history';
import { GraphiQL } from 'graphiql';
import { useEffect, useMemo, useState } from 'react';
import { createRoot } from 'react-dom/client';

import { connect } from './connect.js';
import { tabs } from './tabs.js';
import { WhoAsks } from './who-asks.jsx';

const config = JSON.parse(document.getElementById('config').textContent);
const plugins = [HISTORY_PLUGIN, explorerPlugin()];
const firstTabs = tabs(config.exampleThread);

function Explorer({ member }) {
  const [token, setToken] = useState(() => WhoAsks.initial(config.demoTokens, member));
  // A socket is authorized once, when it opens: another token means another socket.
  const connection = useMemo(() => connect(token), [token]);
  useEffect(() => () => connection.close(), [connection]);

  return (
    <GraphiQL fetcher={connection.fetcher} plugins={plugins} defaultTabs={firstTabs} defaultEditorToolsVisibility="variables" shouldPersistHeaders={false}>
      <GraphiQL.Logo>
        <WhoAsks demoTokens={config.demoTokens} member={member} token={token} onChange={setToken} />
      </GraphiQL.Logo>
    </GraphiQL>
  );
}

// Whom the browser's cookie signs in is known before anything is asked.
fetch('/auth/session')
  .then((response) => response.json())
  .catch(() => ({}))
  .then(({ member }) => createRoot(document.getElementById('explorer')).render(<Explorer member={member} />));
