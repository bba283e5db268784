import { CODE_LENGTH } from '../../ticket/codes/code.ts';

/** A JSON Schema (draft 2020-12), as OpenAPI 3.1 uses it. */
export type Schema = Readonly<Record<string, unknown>>;

const TEXT: Schema = { type: 'string' };
const WHOLE: Schema = { type: 'integer', minimum: 0 };

function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

function listOf(items: Schema): Schema {
  return { type: 'array', items };
}

/**
 * Returns the schema of an object that has no other members.
 * @param optional the members that may be absent
 */
function objectOf(description: string, required: Readonly<Record<string, Schema>>, optional: Schema = {}): Schema {
  return {
    type: 'object',
    description,
    required: Object.keys(required),
    properties: { ...required, ...optional },
    additionalProperties: false,
  };
}

/** Adds a description to a schema. */
function about(description: string, schema: Schema): Schema {
  return { ...schema, description };
}

const PLACE = objectOf(
  'The approximate location of a network address.',
  {},
  { country: about('Two letters (ISO 3166-1).', TEXT), city: TEXT },
);

const NAMED_TEXT = objectOf(
  'A scope or a claim.',
  { name: TEXT },
  { text: about('Its meaning, in the language of Accept-Language.', TEXT) },
);

const REQUIREMENT = objectOf(
  'The sign-in that the app needs before it can approve.',
  {
    kind: about(
      'freshness, local, acr: sign in again by an authorization request with maxAge and acrValues, then go on with this ' +
        'ticket. account: only another account can approve. enrolled: the browser is not enrolled, so that it cannot be ' +
        'approved; send unable.',
      { type: 'string', enum: ['freshness', 'local', 'acr', 'account', 'enrolled'] },
    ),
  },
  {
    maxAge: about('Seconds: the max_age of the authorization request.', { type: 'number', minimum: 0 }),
    acrValues: about('The acr_values of the authorization request.', listOf(TEXT)),
    loginHint: about('The login_hint of the authorization request.', TEXT),
  },
);

const CHALLENGE: Schema = {
  description: 'The question of the provider, to be answered with the approval, as its proof.',
  oneOf: [
    objectOf('A question to the user.', { question: TEXT }),
    objectOf('The options for a passkey (PublicKeyCredentialRequestOptionsJSON).', { passkey: { type: 'object' } }),
    objectOf('This account has no way to answer.', { unavailable: { const: true } }),
  ],
};

const DURATION: Schema = { type: 'string', pattern: '^(session|[1-9]\\d*[hd])$' };
const DURATIONS: Schema = about(
  'How long a browser may stay signed in: session (until it is closed), 8h (hours) or 30d (days). Absent if there is ' +
    'no choice.',
  listOf(DURATION),
);

const CLIENT = objectOf(
  'The client that asks.',
  { id: TEXT, name: TEXT },
  {
    host: about(
      'The host, or the scheme of a native app, that the answer goes to. The provider has verified it.',
      TEXT,
    ),
    logoUri: about('Chosen by the client: it proves nothing.', { type: 'string', format: 'uri' }),
  },
);

const TICKET = objectOf(
  'A sign-in of a browser, as the app that scanned its code sees it.',
  {
    id: TEXT,
    version: about('Grows with each change; 0 if the ticket is gone.', WHOLE),
    state: { type: 'string', enum: ['scanned', 'approved', 'denied', 'finished', 'cancelled', 'expired'] },
    shownAgo: about('Seconds since the code was first shown.', WHOLE),
    client: CLIENT,
    browser: objectOf('The browser that shows the code.', {}, { name: TEXT, system: TEXT, place: ref('Place') }),
    scopes: listOf(ref('NamedText')),
    claims: listOf(ref('NamedText')),
    resources: listOf(objectOf('A resource (RFC 8707).', { id: TEXT, scopes: listOf(ref('NamedText')) })),
    consent: about('True if approving also grants what is listed.', { type: 'boolean' }),
    account: objectOf('The account that will be signed in.', { name: TEXT }),
  },
  {
    action: objectOf('What is asked for, if it is no sign-in. Show both as text.', { title: TEXT, details: TEXT }),
    backchannel: objectOf(
      'Present if the client asks without a browser.',
      {},
      { bindingMessage: about('Show it as text: the client shows it as well, so that the user can compare.', TEXT) },
    ),
    reason: about('Why it was denied or cancelled.', {
      type: 'string',
      enum: [
        ...['person', 'report', 'risk', 'blocked', 'account', 'local', 'freshness', 'acr', 'enrolled'],
        ...['renewed', 'browser', 'requester', 'check-code'],
      ],
    }),
    expiresIn: about('Seconds until this state ends by itself; absent if it does not.', { type: 'number', minimum: 0 }),
    requirement: ref('Requirement'),
    challenge: ref('Challenge'),
    durations: DURATIONS,
    typesNumber: about('Present if the user types the two digits that the browser shows, to approve.', {
      const: true,
    }),
    numbers: about('The three numbers of which the user taps the one that the browser shows, to approve.', {
      type: 'array',
      items: { type: 'string', pattern: '^\\d{2}$' },
    }),
    checkCode: about('The six digits that the user types at the browser.', { type: 'string', pattern: '^\\d{6}$' }),
  },
);

const REQUEST = objectOf('A request that waits. What it asks for is shown once it is opened.', {
  id: about('The identifier to open it.', TEXT),
  client: CLIENT,
  askedAgo: about('Seconds since the client has asked.', WHOLE),
  expiresIn: about('Seconds until it ends.', { type: 'number', minimum: 0 }),
});

const BROWSER = objectOf(
  'A browser that the account is signed in to.',
  {
    id: about('The identifier to sign the browser out.', TEXT),
    signedInAgo: about('Seconds since the sign-in.', WHOLE),
    lastUsedAgo: about('Seconds since a client has last found the user signed in there.', WHOLE),
    signedInBy: about('How its user was signed in; other if the provider does not know.', {
      type: 'string',
      enum: ['qr', 'passkey', 'password', 'other'],
    }),
    endsIn: about('Seconds until the session ends if it is not used again.', WHOLE),
    isHere: about('True for the session in which the app was granted its access.', { type: 'boolean' }),
    clients: listOf(objectOf('A client that knows of the session.', { id: TEXT, name: TEXT, hosts: listOf(TEXT) })),
  },
  {
    label: about('The name that its user has given it.', TEXT),
    name: TEXT,
    system: TEXT,
    place: ref('Place'),
    duration: about('How long its user has chosen to stay signed in.', DURATION),
  },
);

const ERROR = objectOf(
  'A refusal.',
  { error: about('A code for programs.', TEXT), error_description: about('English, for developers.', TEXT) },
  {
    reason: about('The cause, if the code has several.', TEXT),
    state: about('The state of a ticket that was decided otherwise.', TEXT),
  },
);

/** The schemas that answers refer to. */
export const SCHEMAS: Readonly<Record<string, Schema>> = {
  Ticket: TICKET,
  Requirement: REQUIREMENT,
  Challenge: CHALLENGE,
  Browser: BROWSER,
  PendingRequest: REQUEST,
  Place: PLACE,
  NamedText: NAMED_TEXT,
  Error: ERROR,
};

export const ACTION_BODY: Schema = objectOf(
  'An action to approve, and one of the three names of its user.',
  { title: about('The line that says what is approved.', { type: 'string', minLength: 1, maxLength: 320 }) },
  {
    details: about('At most 10 lines of 120 characters. The phone shows them as text.', TEXT),
    sub: about('The user as the client knows it.', TEXT),
    id_token_hint: about('An ID token of the user, which the client got here.', TEXT),
    login_hint: about('A name of the user that the deployment understands.', TEXT),
    expires_in: about('Seconds; 300 if it is left out.', { type: 'integer', minimum: 10, maximum: 3600 }),
    reference: about('A value that is not shown, and that the result repeats.', { type: 'string', maxLength: 256 }),
    return_to: about('The URL to which the browser goes at the end, on a site of a redirect URI.', TEXT),
    ui_locales: about('The preferred languages, separated by spaces.', TEXT),
  },
);

export const ACTION_ANSWER: Schema = objectOf('An action that waits.', {
  id: TEXT,
  url: about('The page that shows the QR code, for the browser of the user.', { type: 'string', format: 'uri' }),
  expires_in: about('Seconds.', { type: 'number', minimum: 0 }),
});

export const RESULT_ANSWER: Schema = objectOf(
  'The state of an action.',
  {
    state: { type: 'string', enum: ['waiting', 'scanned', 'approved', 'confirming', 'denied', 'cancelled', 'expired'] },
  },
  {
    expires_in: about('Seconds until this state ends by itself; absent at the end.', { type: 'number', minimum: 0 }),
    reason: about('Why it was denied or cancelled.', TEXT),
    details_hash: about('base64url of the SHA-256 of the title, a line feed and the details, in UTF-8.', TEXT),
    reference: TEXT,
    approved_at: about('Seconds since the epoch.', WHOLE),
    result: about('The result as a JWT of the type qr-approval+jwt, if the deployment has set its keys.', TEXT),
  },
);

export const TICKET_ANSWER: Schema = ref('Ticket');
export const ERROR_ANSWER: Schema = ref('Error');
export const BROWSERS_ANSWER: Schema = objectOf(
  'The most recently used first.',
  { browsers: listOf(ref('Browser')) },
  { durations: DURATIONS },
);
export const REQUESTS_ANSWER: Schema = objectOf('The oldest first.', { requests: listOf(ref('PendingRequest')) });
/** The body of a request that says everything by its URL. */
export const NO_BODY: Schema = objectOf('Nothing.', {});
export const DOCUMENT_ANSWER: Schema = { type: 'object', description: 'An OpenAPI 3.1 document.' };

const SHOWS_ACTIONS: Schema = about('True in an app that shows the texts of actions. Others get no actions.', {
  type: 'boolean',
});

export const SCAN_BODY: Schema = {
  description: 'The code of the browser: scanned, or typed.',
  oneOf: [
    objectOf(
      'A scan.',
      { code: about(`The text of the QR code: its address, or the ${CODE_LENGTH} characters at its end.`, TEXT) },
      { actions: SHOWS_ACTIONS },
    ),
    objectOf('A short code that the user has typed.', { shortCode: TEXT }, { actions: SHOWS_ACTIONS }),
  ],
};

/** The body of a decision. */
export const DECISION_BODY: Schema = objectOf(
  'The decision.',
  {
    decision: about('report: the user did not start this sign-in. unable: the app cannot meet the requirement.', {
      type: 'string',
      enum: ['approve', 'deny', 'report', 'unable'],
    }),
  },
  {
    remember: about('True if the browser stays signed in when it is closed.', { type: 'boolean', default: false }),
    duration: about(
      'How long the browser stays signed in: one of the durations of the ticket. Then remember is ignored.',
      DURATION,
    ),
    proof: about('The answer to the challenge.', { type: ['string', 'object'] }),
    match: about(
      'The number that the user has tapped or typed, to approve a ticket with "numbers" or "typesNumber".',
      TEXT,
    ),
    signature: about('The decision as a JWS, if the provider asks for signed decisions.', TEXT),
  },
);

/** The body of a change of a browser. */
export const BROWSER_BODY: Schema = objectOf('How long it stays signed in.', {
  duration: about('One of the durations of the list.', DURATION),
});
