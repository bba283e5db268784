/** The account page's script: adds a passkey of this device to the account. */

const form = document.querySelector('form');
const outcome = document.querySelector('[role=status]');

form?.addEventListener('submit', async (event) => {
  event.preventDefault();
  if (outcome !== null) outcome.textContent = await added(form.action).catch((error: Error) => error.message);
});

async function added(url: string): Promise<string> {
  const options = await post(`${url}/options`, {});
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  const credential = await navigator.credentials.create({ publicKey });
  if (!(credential instanceof PublicKeyCredential)) return 'No passkey was made.';
  await post(url, credential.toJSON());
  return 'This device has a passkey for your account now.';
}

async function post(url: string, body: object): Promise<PublicKeyCredentialCreationOptionsJSON> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error('That did not work. Load the page again.');
  return response.json();
}
