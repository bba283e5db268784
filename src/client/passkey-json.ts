/**
 * Reads the options for passkeys from JSON, and writes the answers of passkeys as JSON. This file is loaded only in
 * browsers from before March 2025, which lack `parseRequestOptionsFromJSON` and `toJSON` (WebAuthn Level 3, sections
 * 5.1.9 and 5.1.7).
 */

/** Reads the options of `navigator.credentials.get`. */
export function readOptions(json: PublicKeyCredentialRequestOptionsJSON): PublicKeyCredentialRequestOptions {
  const { challenge, allowCredentials = [], timeout, rpId, userVerification } = json;
  return {
    challenge: decode(challenge),
    allowCredentials: allowCredentials.map(({ id, transports }) => ({
      type: 'public-key',
      id: decode(id),
      ...(transports && { transports: transports.filter(isTransport) }),
    })),
    ...(timeout !== undefined && { timeout }),
    ...(rpId !== undefined && { rpId }),
    ...(isRequirement(userVerification) && { userVerification }),
  };
}

/** Converts a passkey assertion to the form of its JSON. */
export function writeAnswer(credential: PublicKeyCredential): object {
  const { id, type, response, authenticatorAttachment } = credential;
  // Any other type of response is that of a registration, which is never requested here.
  if (!(response instanceof AuthenticatorAssertionResponse)) return {};
  const { clientDataJSON, authenticatorData, signature, userHandle } = response;
  return {
    id,
    rawId: id,
    type,
    authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: {
      clientDataJSON: encode(clientDataJSON),
      authenticatorData: encode(authenticatorData),
      signature: encode(signature),
      ...(userHandle !== null && { userHandle: encode(userHandle) }),
    },
  };
}

/** Decodes base64url (RFC 4648, section 5). `atob` takes texts without padding. */
function decode(text: string): ArrayBuffer {
  const bytes = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(bytes, (character) => character.charCodeAt(0)).buffer;
}

function encode(buffer: ArrayBuffer): string {
  const bytes = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function isTransport(name: string): name is AuthenticatorTransport {
  return ['ble', 'hybrid', 'internal', 'nfc', 'usb'].includes(name);
}

function isRequirement(name: string | undefined): name is UserVerificationRequirement {
  return name !== undefined && ['discouraged', 'preferred', 'required'].includes(name);
}
