// The checks of scripts/more-clients.sh that irc-framework, the library of The Lounge, makes: two of its clients, ines
// and ingo. Run with the port; NODE_EXTRA_CA_CERTS has the server's root, and certificates are checked.
'use strict';
const { Client } = require('irc-framework');
const port = Number(process.argv[2]);

let failures = 0;
const ok = (what, seen) => console.log(`  ok  ${'framework'.padEnd(9)} ${what.padEnd(44)} ${seen}`);
const no = (what) => { failures += 1; console.log(`  NO  ${'framework'.padEnd(9)} ${what}`); };

// Waits for an event that fits; what `act` does brings it about.
function event(client, name, fits, act = () => {}) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => { client.off(name, look); reject(new Error('never came')); }, 20000);
    function look(seen) {
      if (!fits(seen)) return;
      clearTimeout(late);
      client.off(name, look);
      resolve(seen);
    }
    client.on(name, look);
    act();
  });
}
async function check(what, coming, show) {
  try { ok(what, show(await coming)); } catch (error) { no(`${what}: ${error.message}`); }
}
function make(nick) {
  const client = new Client({
    host: 'localhost', port, tls: true, rejectUnauthorized: true, nick, username: nick, gecos: nick,
    account: { account: nick, password: `${nick} secret` }, sasl_disconnect_on_fail: true,
    enable_echomessage: true, enable_setname: true, auto_reconnect: true, auto_reconnect_max_wait: 2000,
  });
  client.requestCap(['draft/chathistory', 'draft/event-playback', 'labeled-response', 'extended-monitor']);
  return client;
}
const any = () => true;

(async () => {
  const ines = make('ines');
  const ingo = make('ingo');
  await check('SASL PLAIN over verified TLS', event(ines, 'registered', any, () => ines.connect()),
    (e) => `nick ${e.nick}, socket authorized: ${ines.connection.transport.socket.authorized}`);
  await check('capabilities', Promise.resolve(ines.network.cap.enabled), (caps) => caps.join(' '));
  await check('MONITOR: offline', event(ines, 'users offline', (e) => e.nicks.includes('ingo'), () => ines.addMonitor('ingo')),
    (e) => e.nicks.join());
  await check('MONITOR: online', event(ines, 'users online', (e) => e.nicks.some((nick) => nick.startsWith('ingo')), () => ingo.connect()),
    (e) => e.nicks.join());
  await check('join', event(ines, 'join', (e) => e.nick === 'ines', () => ines.join('#lobby')),
    (e) => `${e.channel} account ${e.account}`);
  await check('join of another', event(ines, 'join', (e) => e.nick === 'ingo', () => ingo.join('#lobby')), (e) => e.nick);
  const heard = event(ingo, 'message', (e) => e.message === 'hello from irc-framework');
  let msgid;
  await check('echo-message, server-time, msgid',
    event(ines, 'message', (e) => e.message === 'hello from irc-framework', () => ines.say('#lobby', 'hello from irc-framework'))
      .then((e) => { msgid = e.tags.msgid; if (!msgid || !e.time) throw new Error('no id or time'); return e; }),
    (e) => `${e.nick} time ${new Date(e.time).toISOString()} msgid ${e.tags.msgid} account ${e.tags.account}`);
  await check('the other client hears it', heard, (e) => `${e.nick}: ${e.message}`);
  await check('alice answers', event(ines, 'message', (e) => e.message === 'hello irc-framework'), (e) => `${e.nick}: ${e.message}`);
  await check('a direct message', event(ingo, 'message', (e) => e.message === 'psst', () => ines.say('ingo', 'psst')),
    (e) => `${e.nick} to ${e.target}: ${e.message}`);
  await check('typing', event(ingo, 'tagmsg', (e) => e.tags['+typing'], () => ines.tagmsg('#lobby', { '+typing': 'active' })),
    (e) => JSON.stringify(e.tags));
  await check('reaction', event(ingo, 'tagmsg', (e) => e.tags['+draft/react'],
    () => ines.tagmsg('#lobby', { '+draft/react': '👍', '+draft/reply': msgid })), (e) => JSON.stringify(e.tags));
  await check('WHOX', new Promise((done) => ines.who('#lobby', done)),
    (e) => e.users.map((user) => `${user.nick}/${user.account}`).join(' '));
  await check('WHOIS', new Promise((done) => ines.whois('ingo', done)), (e) => `${e.nick} account ${e.account} secure ${e.secure}`);
  await check('CHATHISTORY', event(ines, 'batch end chathistory', any, () => ines.raw('CHATHISTORY', 'LATEST', '#lobby', '*', '20')),
    (e) => `${e.params.join()}: ${e.commands.map((line) => line.command).join(' ')}`);
  await check('AWAY of another', event(ines, 'away', (e) => e.nick === 'ingo', () => ingo.raw('AWAY', 'tea')), (e) => e.message);
  // It comes back only to a server that had it for 5 seconds: an earlier end might be a ban.
  await new Promise((done) => { setTimeout(done, 6000); });
  const back = event(ines, 'join', (e) => e.nick === 'ines');
  await check('a cut connection: registers again', event(ines, 'registered', any, () => ines.connection.transport.socket.destroy()),
    (e) => `nick ${e.nick}`);
  await check('its channel comes by itself', back, (e) => e.channel);
  await check('and hears', event(ines, 'message', (e) => e.message === 'still there?', () => ingo.say('#lobby', 'still there?')),
    (e) => `${e.nick}: ${e.message}`);
  await check('quit of another', event(ines, 'quit', (e) => e.nick === 'ingo', () => ingo.quit('bye')), (e) => `${e.nick}: ${e.message}`);
  ines.quit('bye');
  setTimeout(() => process.exit(failures === 0 ? 0 : 1), 300);
})();
