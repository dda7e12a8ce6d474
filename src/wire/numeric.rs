//! Numeric replies that the server sends, under the names of the
//! [modern protocol](https://modern.ircdocs.horse/#numerics).

/// Code of a numeric reply: three digits on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Numeric(pub u16);

/// First line of the welcome, which tells the client its nick.
pub const RPL_WELCOME: Numeric = Numeric(1);
/// Welcome: name and version of the server.
pub const RPL_YOURHOST: Numeric = Numeric(2);
/// Welcome: time at which the server was started.
pub const RPL_CREATED: Numeric = Numeric(3);
/// Welcome: server name, version, and the letters of the known modes.
pub const RPL_MYINFO: Numeric = Numeric(4);
/// Supported features, as `KEY=value` tokens (ISUPPORT).
pub const RPL_ISUPPORT: Numeric = Numeric(5);
/// End of a STATS reply.
pub const RPL_ENDOFSTATS: Numeric = Numeric(219);
/// The session's user modes.
pub const RPL_UMODEIS: Numeric = Numeric(221);
/// STATS `u`: uptime of the server.
pub const RPL_STATSUPTIME: Numeric = Numeric(242);
/// STATS: other lines of the statistics.
pub const RPL_STATSOTHER: Numeric = Numeric(249);
/// LUSERS: number of sessions on the network.
pub const RPL_LUSERCLIENT: Numeric = Numeric(251);
/// LUSERS: number of channels.
pub const RPL_LUSERCHANNELS: Numeric = Numeric(254);
/// LUSERS: number of sessions and servers linked to this server.
pub const RPL_LUSERME: Numeric = Numeric(255);
/// ADMIN: first line, with the server's name.
pub const RPL_ADMINME: Numeric = Numeric(256);
/// ADMIN: location of the server; here the network's name.
pub const RPL_ADMINLOC1: Numeric = Numeric(257);
/// ADMIN: details of the location; here the admins.
pub const RPL_ADMINLOC2: Numeric = Numeric(258);
/// LUSERS: current and highest number of local users.
pub const RPL_LOCALUSERS: Numeric = Numeric(265);
/// LUSERS: current and highest number of users on the network.
pub const RPL_GLOBALUSERS: Numeric = Numeric(266);
/// Away message of an account that a command named or wrote to.
pub const RPL_AWAY: Numeric = Numeric(301);
/// USERHOST: host and away state of the named nicks.
pub const RPL_USERHOST: Numeric = Numeric(302);
/// ISON: those of the named nicks that are online.
pub const RPL_ISON: Numeric = Numeric(303);
/// The account is no longer marked as away.
pub const RPL_UNAWAY: Numeric = Numeric(305);
/// The account is marked as away.
pub const RPL_NOWAWAY: Numeric = Numeric(306);
/// WHOIS: nick, user name, host and real name.
pub const RPL_WHOISUSER: Numeric = Numeric(311);
/// WHOIS: server that the account is connected to.
pub const RPL_WHOISSERVER: Numeric = Numeric(312);
/// WHOIS: the account is an operator; here, an admin of the server.
pub const RPL_WHOISOPERATOR: Numeric = Numeric(313);
/// WHOWAS: nick, user name, host and real name of an account that was online.
pub const RPL_WHOWASUSER: Numeric = Numeric(314);
/// End of a WHO reply.
pub const RPL_ENDOFWHO: Numeric = Numeric(315);
/// WHOIS: idle time and time of the login, in seconds.
pub const RPL_WHOISIDLE: Numeric = Numeric(317);
/// End of a WHOIS reply.
pub const RPL_ENDOFWHOIS: Numeric = Numeric(318);
/// WHOIS: channels of the account, with its member status in each.
pub const RPL_WHOISCHANNELS: Numeric = Numeric(319);
/// Head of a LIST reply. Clients do not rely on it.
pub const RPL_LISTSTART: Numeric = Numeric(321);
/// LIST: a channel, its number of members and its topic.
pub const RPL_LIST: Numeric = Numeric(322);
/// End of a LIST reply.
pub const RPL_LISTEND: Numeric = Numeric(323);
/// Modes of a channel.
pub const RPL_CHANNELMODEIS: Numeric = Numeric(324);
/// Time at which a channel was created, in seconds.
pub const RPL_CREATIONTIME: Numeric = Numeric(329);
/// WHOIS: account that the nick is logged in to.
pub const RPL_WHOISACCOUNT: Numeric = Numeric(330);
/// The channel has no topic.
pub const RPL_NOTOPIC: Numeric = Numeric(331);
/// Topic of a channel.
pub const RPL_TOPIC: Numeric = Numeric(332);
/// Setter of the topic and the time it was set at, in seconds.
pub const RPL_TOPICWHOTIME: Numeric = Numeric(333);
/// WHOIS: the account is marked as a bot (user mode +B).
pub const RPL_WHOISBOT: Numeric = Numeric(335);
/// The INVITE to a channel was sent.
pub const RPL_INVITING: Numeric = Numeric(341);
/// An entry of a channel's invite exceptions (+I).
pub const RPL_INVITELIST: Numeric = Numeric(346);
/// End of the list of invite exceptions.
pub const RPL_ENDOFINVITELIST: Numeric = Numeric(347);
/// An entry of a channel's ban exceptions (+e).
pub const RPL_EXCEPTLIST: Numeric = Numeric(348);
/// End of the list of ban exceptions.
pub const RPL_ENDOFEXCEPTLIST: Numeric = Numeric(349);
/// Version of the server software.
pub const RPL_VERSION: Numeric = Numeric(351);
/// WHO: one line for each account.
pub const RPL_WHOREPLY: Numeric = Numeric(352);
/// NAMES: some members of a channel, with their member status.
pub const RPL_NAMREPLY: Numeric = Numeric(353);
/// WHOX: one account, with the fields that the client selected.
pub const RPL_WHOSPCRPL: Numeric = Numeric(354);
/// End of a NAMES reply.
pub const RPL_ENDOFNAMES: Numeric = Numeric(366);
/// An entry of a channel's bans (+b).
pub const RPL_BANLIST: Numeric = Numeric(367);
/// End of the list of bans.
pub const RPL_ENDOFBANLIST: Numeric = Numeric(368);
/// End of a WHOWAS reply.
pub const RPL_ENDOFWHOWAS: Numeric = Numeric(369);
/// INFO: one line about the server.
pub const RPL_INFO: Numeric = Numeric(371);
/// One line of the message of the day.
pub const RPL_MOTD: Numeric = Numeric(372);
/// End of an INFO reply.
pub const RPL_ENDOFINFO: Numeric = Numeric(374);
/// Start of the message of the day.
pub const RPL_MOTDSTART: Numeric = Numeric(375);
/// End of the message of the day.
pub const RPL_ENDOFMOTD: Numeric = Numeric(376);
/// OPER succeeded: the session has the admin role.
pub const RPL_YOUREOPER: Numeric = Numeric(381);
/// REHASH: the configuration is read again.
pub const RPL_REHASHING: Numeric = Numeric(382);
/// TIME: the server's local time.
pub const RPL_TIME: Numeric = Numeric(391);
/// A command failed for a reason that has no numeric of its own.
pub const ERR_UNKNOWNERROR: Numeric = Numeric(400);
/// No account or channel has the name that a command gave as its target.
pub const ERR_NOSUCHNICK: Numeric = Numeric(401);
/// No channel has this name, or it is not a valid channel name.
pub const ERR_NOSUCHCHANNEL: Numeric = Numeric(403);
/// The channel does not accept the session's message.
pub const ERR_CANNOTSENDTOCHAN: Numeric = Numeric(404);
/// The account is in too many channels.
pub const ERR_TOOMANYCHANNELS: Numeric = Numeric(405);
/// WHOWAS: no account of this nick was seen.
pub const ERR_WASNOSUCHNICK: Numeric = Numeric(406);
/// The command names too many targets.
pub const ERR_TOOMANYTARGETS: Numeric = Numeric(407);
/// Unknown CAP subcommand.
pub const ERR_INVALIDCAPCMD: Numeric = Numeric(410);
/// A message without a recipient.
pub const ERR_NORECIPIENT: Numeric = Numeric(411);
/// A message without text.
pub const ERR_NOTEXTTOSEND: Numeric = Numeric(412);
/// The line is longer than the server accepts.
pub const ERR_INPUTTOOLONG: Numeric = Numeric(417);
/// The server does not know the command.
pub const ERR_UNKNOWNCOMMAND: Numeric = Numeric(421);
/// The server has no message of the day.
pub const ERR_NOMOTD: Numeric = Numeric(422);
/// A command that needs a nick came without one.
pub const ERR_NONICKNAMEGIVEN: Numeric = Numeric(431);
/// The nick holds characters that no nick may hold.
pub const ERR_ERRONEUSNICKNAME: Numeric = Numeric(432);
/// The named account is not in the channel.
pub const ERR_USERNOTINCHANNEL: Numeric = Numeric(441);
/// The session's account is not in the channel.
pub const ERR_NOTONCHANNEL: Numeric = Numeric(442);
/// The invited account is in the channel already.
pub const ERR_USERONCHANNEL: Numeric = Numeric(443);
/// The command needs a login first.
pub const ERR_NOTREGISTERED: Numeric = Numeric(451);
/// The command lacks parameters.
pub const ERR_NEEDMOREPARAMS: Numeric = Numeric(461);
/// The command is valid only before the login.
pub const ERR_ALREADYREGISTERED: Numeric = Numeric(462);
/// The password is wrong.
pub const ERR_PASSWDMISMATCH: Numeric = Numeric(464);
/// The channel was renamed; the reply carries its new name.
pub const ERR_LINKCHANNEL: Numeric = Numeric(470);
/// Cannot join: the channel has reached its member limit (+l).
pub const ERR_CHANNELISFULL: Numeric = Numeric(471);
/// Unknown channel mode letter.
pub const ERR_UNKNOWNMODE: Numeric = Numeric(472);
/// Cannot join: the channel is invite-only (+i).
pub const ERR_INVITEONLYCHAN: Numeric = Numeric(473);
/// Cannot join: the account is banned (+b).
pub const ERR_BANNEDFROMCHAN: Numeric = Numeric(474);
/// Cannot join: missing or wrong channel key (+k).
pub const ERR_BADCHANNELKEY: Numeric = Numeric(475);
/// A list of the channel, such as its bans, is full.
pub const ERR_BANLISTFULL: Numeric = Numeric(478);
/// The command needs a role that the account lacks.
pub const ERR_NOPRIVILEGES: Numeric = Numeric(481);
/// The command needs a higher member status in the channel.
pub const ERR_CHANOPRIVSNEEDED: Numeric = Numeric(482);
/// KILL: the target is the server itself.
pub const ERR_CANTKILLSERVER: Numeric = Numeric(483);
/// Unknown user mode letter.
pub const ERR_UMODEUNKNOWNFLAG: Numeric = Numeric(501);
/// A MODE command for the user modes of another account.
pub const ERR_USERSDONTMATCH: Numeric = Numeric(502);
/// HELP: no help on this topic.
pub const ERR_HELPNOTFOUND: Numeric = Numeric(524);
/// The message was not sent to an account, with the reason.
pub const ERR_CANNOTSENDTOUSER: Numeric = Numeric(531);
/// WHOIS: the connection is encrypted.
pub const RPL_WHOISSECURE: Numeric = Numeric(671);
/// Invalid parameter of a channel mode.
pub const ERR_INVALIDMODEPARAM: Numeric = Numeric(696);
/// Start of a HELP reply.
pub const RPL_HELPSTART: Numeric = Numeric(704);
/// HELP: one line of the text.
pub const RPL_HELPTXT: Numeric = Numeric(705);
/// End of a HELP reply.
pub const RPL_ENDOFHELP: Numeric = Numeric(706);
/// A KNOCK at a channel, sent to members that may invite.
pub const RPL_KNOCK: Numeric = Numeric(710);
/// The KNOCK was delivered.
pub const RPL_KNOCKDLVR: Numeric = Numeric(711);
/// Too many KNOCKs at this channel in a short time.
pub const ERR_TOOMANYKNOCK: Numeric = Numeric(712);
/// KNOCK: the channel is open.
pub const ERR_CHANOPEN: Numeric = Numeric(713);
/// KNOCK: the account is in the channel already.
pub const ERR_KNOCKONCHAN: Numeric = Numeric(714);
/// MONITOR: nicks that are online.
pub const RPL_MONONLINE: Numeric = Numeric(730);
/// MONITOR: nicks that are offline.
pub const RPL_MONOFFLINE: Numeric = Numeric(731);
/// MONITOR: entries of the session's list.
pub const RPL_MONLIST: Numeric = Numeric(732);
/// End of the MONITOR list.
pub const RPL_ENDOFMONLIST: Numeric = Numeric(733);
/// The MONITOR list is full.
pub const ERR_MONLISTFULL: Numeric = Numeric(734);
/// WHOIS: a metadata key of the account and its value.
pub const RPL_WHOISKEYVALUE: Numeric = Numeric(760);
/// METADATA: a key and its value.
pub const RPL_KEYVALUE: Numeric = Numeric(761);
/// METADATA: the key is not set.
pub const RPL_KEYNOTSET: Numeric = Numeric(766);
/// METADATA: keys that were subscribed to.
pub const RPL_METADATASUBOK: Numeric = Numeric(770);
/// METADATA: keys that were unsubscribed from.
pub const RPL_METADATAUNSUBOK: Numeric = Numeric(771);
/// METADATA: keys that the session subscribes to.
pub const RPL_METADATASUBS: Numeric = Numeric(772);
/// METADATA: the client may synchronize later, after the given number of seconds.
pub const RPL_METADATASYNCLATER: Numeric = Numeric(774);
/// The session is logged in to an account.
pub const RPL_LOGGEDIN: Numeric = Numeric(900);
/// SASL authentication succeeded.
pub const RPL_SASLSUCCESS: Numeric = Numeric(903);
/// SASL authentication failed.
pub const ERR_SASLFAIL: Numeric = Numeric(904);
/// SASL message longer than 400 bytes per line, or too long in all.
pub const ERR_SASLTOOLONG: Numeric = Numeric(905);
/// SASL authentication was aborted by the client.
pub const ERR_SASLABORTED: Numeric = Numeric(906);
/// SASL authentication is over: the session is logged in.
pub const ERR_SASLALREADY: Numeric = Numeric(907);
/// SASL mechanisms that the server offers.
pub const RPL_SASLMECHS: Numeric = Numeric(908);
