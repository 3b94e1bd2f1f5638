// The bar that says who asks: a demo member to choose, where the server offers them, or a token to paste.

// For this tab only: a token is a password, and another tab may well ask as somebody else.
const key = 'commons.token';

export function WhoAsks({ demoTokens, token, onChange }) {
  const members = Object.keys(demoTokens).sort();
  const change = (value) => {
    sessionStorage.setItem(key, value);
    onChange(value);
  };
  return (
    <form className="who-asks" onSubmit={(event) => event.preventDefault()}>
      <strong>Commons</strong>
      {members.length > 0 && (
        <select aria-label="Ask as" value={members.find((name) => demoTokens[name] === token) ?? ''} onChange={(event) => change(demoTokens[event.target.value] ?? '')}>
          <option value="">{token && !Object.values(demoTokens).includes(token) ? 'another token' : 'nobody'}</option>
          {members.map((name) => <option key={name}>{name}</option>)}
        </select>
      )}
      <input aria-label="Access token" type="password" autoComplete="off" spellCheck={false} placeholder="Access token" value={token} onChange={(event) => change(event.target.value.trim())} />
      <a href="/schema.graphql">Schema</a>
    </form>
  );
}

// initial is the token that this tab used last; in a demo, an ordinary member's.
WhoAsks.initial = (demoTokens) =>
  sessionStorage.getItem(key) ?? demoTokens['member@demo.example'] ?? Object.values(demoTokens)[0] ?? '';
