// Dates and times as people read them, in the reader's own time zone.

const DAY = 86_400_000;

function format(date, options) {
  return new Intl.DateTimeFormat(undefined, options).format(date);
}

function daysFromToday(date) {
  const midnight = (each) => new Date(each.getFullYear(), each.getMonth(), each.getDate()).getTime();
  return Math.round((midnight(date) - midnight(new Date())) / DAY);
}

function pretty(date, otherwise) {
  return { "-1": "yesterday", 0: "today", 1: "tomorrow" }[daysFromToday(date)] ?? otherwise;
}

/** "14:05" */
export function time(date) {
  return format(date, { hour: "numeric", minute: "2-digit" });
}

/** "Today", "Yesterday" or "Tuesday, 18 February" */
export function day(date) {
  const name = pretty(date, format(date, { weekday: "long", day: "numeric", month: "long" }));
  return name[0].toUpperCase() + name.slice(1);
}

/** Everything there is to say of a moment. */
export function full(date) {
  return format(date, { dateStyle: "full", timeStyle: "medium" });
}

/** "2 minutes ago", "in 3 hours" */
export function ago(date) {
  const seconds = (date.getTime() - Date.now()) / 1000;
  const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  for (const [unit, size] of [
    ["day", 86_400],
    ["hour", 3_600],
    ["minute", 60],
  ]) {
    if (Math.abs(seconds) >= size) return relative.format(Math.round(seconds / size), unit);
  }
  return relative.format(Math.round(seconds), "second");
}

/** The text of `<!date^seconds^template|fallback>`, with Slack's placeholders filled in. */
export function fromTemplate(seconds, template) {
  const date = new Date(Number(seconds) * 1000);
  const long = format(date, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
  const medium = format(date, { day: "numeric", month: "long", year: "numeric" });
  const short = format(date, { day: "numeric", month: "short", year: "numeric" });
  const known = {
    date_num: format(date, { year: "numeric", month: "2-digit", day: "2-digit" }),
    date_slash: format(date, { year: "numeric", month: "2-digit", day: "2-digit" }),
    date: medium,
    date_short: short,
    date_long: long,
    date_long_full: long,
    date_pretty: pretty(date, medium),
    date_short_pretty: pretty(date, short),
    date_long_pretty: pretty(date, long),
    day_divider_pretty: pretty(date, long),
    time: time(date),
    time_secs: format(date, { hour: "numeric", minute: "2-digit", second: "2-digit" }),
    ago: ago(date),
  };
  return template.replace(/\{(\w+)\}/g, (whole, name) => known[name] ?? whole);
}
