// What looks like a secret: keys, tokens, passwords and card numbers are never remembered.

const shapes: readonly (readonly [string, RegExp])[] = [
  ['a private key', /-----BEGIN [A-Z ]*PRIVATE KEY/],
  ['a token', /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/],
  // As their issuers mark them: OpenAI, Stripe, GitHub, GitLab, Slack, AWS, Google, npm, Hugging Face, SendGrid, webhooks.
  [
    'a key',
    /\b(?:sk-[\w-]{16,}|[sr]k_(?:live|test)_\w{8,}|gh[oprsu]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abeoprs]-[\w-]{8,}|A[KS]IA[A-Z0-9]{16}|AIza[\w-]{30,}|npm_\w{30,}|hf_\w{20,}|SG\.[\w-]{16,}|whsec_\S{16,})/,
  ],
  ['a password', /\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:[^\s/@]+@/i],
  [
    'a password',
    /\b(?:pass(?:word|phrase|code)|pwd|pin(?: code| number)?|api[ _-]?key|secret[ _-]key|access[ _-]token|cvv|cvc)\b(?:\s+(?:for|of|to)\s+(?:\S+\s+){1,4}?)?\s*(?:['’]s\b|\bis\b|[:=])\s*\S/i,
  ],
  // What it is called in German, French, Spanish, Portuguese, Italian, Dutch, Polish and Russian; in Chinese, Japanese and Korean.
  [
    'a password',
    /(?:passwor[dt]|kennwort|mot de passe|contraseña|senha|wachtwoord|hasło|пароль)\s*(?:(?:ist|lautet|est|es|é|è|is|to|это)\s|[:=])\s*\S/iu,
  ],
  ['a password', /(?:密码|密碼|パスワード|비밀번호)\s*(?:[是为為は은는]|[:=])\s*\S/u],
  ['a password', /\b(?:secret|token|key)\b\s*(?:\bis\b|[:=])\s*(?=\S*\d)\S{8,}/i],
  // Random by its looks. What has marks between its parts, such as a UUID or a date, does not.
  ['a key', /(?<![\w+/=-])(?=[\w+/=-]*\d)(?=[\w+/=-]*[a-z])(?=[\w+/=-]*[A-Z])[\w+/=-]{24,}/],
  ['a key', /\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{32,}\b/i],
]

/** What kind of secret a text seems to hold, by its looks or by what it is called; `undefined`: none. */
export function secretIn(text: string): string | undefined {
  // Digits of another width, and what nobody sees between them, hide nothing.
  const plain = text.normalize('NFKC').replace(/\p{Cf}/gu, '')
  const shape = shapes.find(([, pattern]) => pattern.test(plain))
  if (shape !== undefined) return shape[0]
  const numbers = plain.match(/(?<!\d)\d(?:[ .-]?\d){12,18}(?!\d)/g) ?? []
  return numbers.some(isCardNumber) ? 'a card number' : undefined
}

/** By its check digit (ISO/IEC 7812-1, Luhn): a tenth of all numbers of this length have it. */
function isCardNumber(number: string): boolean {
  const digits = Array.from(number.replace(/\D/g, ''), Number).reverse()
  const sum = digits.reduce((total, digit, index) => {
    const weighed = index % 2 === 0 ? digit : digit * 2
    return total + (weighed > 9 ? weighed - 9 : weighed)
  }, 0)
  return sum % 10 === 0
}
