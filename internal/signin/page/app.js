// The script of the sign-in pages. A link's token is in the fragment, which no server sees; it leaves the address bar at once, so that it is
// in no history and on no screenshot, and goes out with the button only.
'use strict';

const token = location.hash.slice(1);
if (token) history.replaceState(null, '', location.pathname + location.search);

const status = document.getElementById('status');
const say = (text, bad) => {
  status.textContent = text;
  status.className = bad ? 'bad' : '';
};

// leave goes where the front end sent the person from, if that is here.
const leave = () => {
  const to = new URL(new URLSearchParams(location.search).get('next') ?? '/', location.origin);
  location.replace(to.origin === location.origin ? to.href : '/');
};

const then = {
  leave,
  reload: () => location.reload(),
  follow: (answer) => location.assign(answer.location),
  mailed: () => say('If an account has this address, a mail is on its way. It works for 15 minutes.'),
  confirmed: () => say('Done: this is your address now.'),
};

const send = async (path, body) => {
  const response = await fetch(path, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body), credentials: 'same-origin',
  });
  const answer = await response.json().catch(() => null);
  if (response.ok) return answer;
  throw new Error(answer?.errors?.[0]?.message ?? 'That did not work. Try again in a moment.');
};

for (const form of document.querySelectorAll('form')) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const body = Object.fromEntries(new FormData(form));
    if (form.dataset.also) {
      const field = document.getElementById(form.dataset.also);
      if (!field.reportValidity()) return;
      body[field.name] = field.value;
    }
    if ('token' in form.dataset) body.token = token;
    const button = form.querySelector('button');
    button.disabled = true;
    say('One moment …');
    try {
      const answer = await send(form.dataset.to, body);
      say('');
      then[form.dataset.then](answer);
    } catch (error) {
      say(error.message, true);
    } finally {
      button.disabled = false;
    }
  });
  if ('token' in form.dataset && !token) {
    form.hidden = true;
    say('This link is not complete. Open it from the mail, or ask for another one.', true);
  }
}

// Another way to sign in leads to the same page in the end.
const openid = document.getElementById('openid');
if (openid) openid.search = location.search;

const signedIn = document.getElementById('signed-in');
if (signedIn) {
  fetch('/auth/session', { credentials: 'same-origin' }).then((r) => r.json()).catch(() => ({})).then(({ member }) => {
    document.getElementById('name').textContent = member?.name ?? '';
    signedIn.hidden = !member;
    document.getElementById('signed-out').hidden = Boolean(member);
  });
}
