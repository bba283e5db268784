/** The script of the account page: adds a passkey of this device to the account. */

const form = document.querySelector('form#add-passkey');
const outcome = document.querySelector('[role=status]');

form?.addEventListener('submit', async (event) => {
  event.preventDefault();
  if (!(form instanceof HTMLFormElement) || !(outcome instanceof HTMLElement)) return;
  const { added, none, failed } = outcome.dataset;
  outcome.textContent =
    (await addPasskey(form.action).then(
      (isMade) => (isMade ? added : none),
      () => failed,
    )) ?? '';
});

/**
 * Adds a passkey.
 * @param {string} url the account page's address for passkeys
 * @returns {Promise<boolean>} false if the device has created none
 */
async function addPasskey(url) {
  const options = await post(`${url}/options`, {});
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  const credential = await navigator.credentials.create({ publicKey });
  if (!(credential instanceof PublicKeyCredential)) return false;
  await post(url, credential.toJSON());
  return true;
}

/**
 * Posts JSON.
 * @param {string} url
 * @param {object} body
 */
async function post(url, body) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (response.ok) return answer;
  // The user must sign in on this device first. The sign-in leads back to this page.
  if (answer.sign_in !== undefined) location.assign(answer.sign_in);
  throw new Error(`${response.status} from ${url}`);
}
