// The bar that says who asks: whom the browser is signed in as, a demo member to choose, where the server offers them, or a token to
// paste. A token goes before the browser's session.

// For this tab only: a token is a password, and another tab may well ask as somebody else.
const key = 'commons.token';

// Who signs in or out is whom to ask as next: a token that was chosen before must not hide it.
const forget = () => sessionStorage.removeItem(key);

async function signOut() {
  forget();
  await fetch('/auth/sign-out', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' });
  location.reload();
}

export function WhoAsks({ demoTokens, member, token, onChange }) {
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
          <option value="">{token && !Object.values(demoTokens).includes(token) ? 'another token' : member?.name ?? 'nobody'}</option>
          {members.map((name) => <option key={name}>{name}</option>)}
        </select>
      )}
      <input aria-label="Access token" type="password" autoComplete="off" spellCheck={false} placeholder="Access token" value={token} onChange={(event) => change(event.target.value.trim())} />
      {member
        ? <button type="button" title={`Signed in as ${member.name}`} onClick={signOut}>Sign out</button>
        : <a href="/sign-in?next=/" onClick={forget}>Sign in</a>}
      <a href="/schema.graphql">Schema</a>
    </form>
  );
}

// initial is the token that this tab used last; none for who is signed in; in a demo, an ordinary member's.
WhoAsks.initial = (demoTokens, member) =>
  sessionStorage.getItem(key) ?? (member ? '' : demoTokens['member@demo.example'] ?? Object.values(demoTokens)[0] ?? '');
