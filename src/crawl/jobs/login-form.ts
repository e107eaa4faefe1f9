/**
 * The form of a page that one logs in with: the first that has exactly one password field.
 *
 * Source: HTML Standard §4.10.21.4 (what a form sends), §4.10.22.7 (`application/x-www-form-urlencoded`).
 */

export interface LoginForm {
  readonly action: string;
  readonly method: 'GET' | 'POST';
  /** of the first image in it */
  readonly image: string | undefined;
  /** what is sent, filled in; a CAPTCHA's solution goes to the first text field that is left empty */
  fill(user: string, password: string, solution?: string): URLSearchParams;
}

interface Input {
  readonly name: string;
  readonly id: string;
  readonly type: string;
  readonly value: string;
}

interface Form {
  readonly action: string;
  readonly method: string;
  readonly inputs: Input[];
  image: string | undefined;
}

const MAX_INPUTS = 200;
const MAX_FORMS = 100;
const USER_LIKE = /user|login|email/i;
const SOLUTION_LIKE = /captcha|code|verif/i;

/** @param page its URL @returns undefined where there is no such form */
export async function loginForm(html: string, page: string): Promise<LoginForm | undefined> {
  const { Parser } = await import('htmlparser2');
  const forms: Form[] = [];
  let base = page;
  let form: Form | undefined;
  let select: { readonly name: string; value: string | undefined } | undefined;
  const parser = new Parser({
    onopentag(tag, given) {
      const { name = '', id = '', type = '', value = '' } = given;
      if (tag === 'base' && given.href !== undefined && URL.canParse(given.href, page)) base = new URL(given.href, page).href;
      else if (tag === 'form' && forms.length < MAX_FORMS) {
        form = { action: given.action ?? '', method: given.method ?? 'get', inputs: [], image: undefined };
        forms.push(form);
      } else if (form === undefined || form.inputs.length >= MAX_INPUTS) return;
      else if (tag === 'img') form.image ??= given.src;
      else if (tag === 'select') select = { name, value: undefined };
      else if (tag === 'option' && select !== undefined && (select.value === undefined || given.selected !== undefined))
        select.value = value;
      else if (tag === 'input' || tag === 'textarea') {
        const kind = tag === 'textarea' ? 'text' : type.toLowerCase() || 'text';
        const isSent = !NOT_SENT.has(kind) && (!CHECKED.has(kind) || given.checked !== undefined) && given.disabled === undefined;
        if (isSent && name !== '') form.inputs.push({ name, id, type: kind, value: value || (CHECKED.has(kind) ? 'on' : '') });
      }
    },
    onclosetag(tag) {
      if (tag === 'form') form = undefined;
      if (tag !== 'select' || select === undefined) return;
      if (select.name !== '') form?.inputs.push({ name: select.name, id: '', type: 'select', value: select.value ?? '' });
      select = undefined;
    },
  });
  parser.write(html);
  parser.end();
  const found = forms.find(({ inputs }) => inputs.filter(({ type }) => type === 'password').length === 1);
  if (found === undefined || !URL.canParse(found.action, base)) return undefined;
  const { inputs, image, action, method } = found;
  const [user, password, solution] = fieldsOf(inputs);
  return {
    action: new URL(action, base).href,
    method: method.toLowerCase() === 'post' ? 'POST' : 'GET',
    image: image !== undefined && URL.canParse(image, base) ? new URL(image, base).href : undefined,
    fill: (name, secret, solved) =>
      new URLSearchParams(
        inputs.map((input): [string, string] => {
          if (input === user) return [input.name, name];
          if (input === password) return [input.name, secret];
          return [input.name, input === solution ? (solved ?? input.value) : input.value];
        }),
      ),
  };
}

const NOT_SENT = new Set(['submit', 'button', 'image', 'reset', 'file']);
const CHECKED = new Set(['checkbox', 'radio']);

/** The user's is the nearest text field in front of the password, rather one whose name says so. */
function fieldsOf(inputs: readonly Input[]): readonly [user: Input | undefined, password: Input | undefined, solution: Input | undefined] {
  const at = inputs.findIndex(({ type }) => type === 'password');
  const isText = ({ type }: Input) => type === 'text' || type === 'email';
  const before = inputs.slice(0, at).filter(isText);
  const says = (like: RegExp) => (input: Input) => like.test(input.name) || like.test(input.id);
  const user = before.findLast(says(USER_LIKE)) ?? before.at(-1);
  const rest = inputs.filter((input) => isText(input) && input !== user);
  return [user, inputs[at], rest.find(says(SOLUTION_LIKE)) ?? rest.find(({ value }) => value === '')];
}
