// Times in the reader's zone: relative within a day, else the local date. The title keeps the UTC instant.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const months = new Intl.DateTimeFormat("en-US", { month: "short" });

function date(moment) {
  return `${moment.getDate()} ${months.format(moment)} ${moment.getFullYear()}`;
}

function count(amount, unit) {
  return amount === 1 ? `1 ${unit}` : `${amount} ${unit}s`;
}

export function say(moment, now = new Date()) {
  const distance = Math.abs(now - moment);
  if (distance >= DAY) return date(moment);
  if (distance < 45_000) return "now";
  const minutes = Math.round(distance / MINUTE);
  const words = minutes < 60 ? count(Math.max(1, minutes), "minute") : count(Math.round(distance / HOUR), "hour");
  return moment < now ? `${words} ago` : `in ${words}`;
}

export function bindTimes() {
  const times = [...document.querySelectorAll("time[data-when]")];
  const show = () => {
    for (const time of times) time.textContent = say(new Date(time.dateTime));
  };
  show();
  if (times.length) setInterval(show, MINUTE / 2);
}
