//! The numerics that the server sends, under the names of the
//! [modern protocol](https://modern.ircdocs.horse/#numerics).

/// A numeric reply's code. Three digits on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Numeric(pub u16);

/// 001
pub const RPL_WELCOME: Numeric = Numeric(1);
/// 002
pub const RPL_YOURHOST: Numeric = Numeric(2);
/// 003
pub const RPL_CREATED: Numeric = Numeric(3);
/// 004
pub const RPL_MYINFO: Numeric = Numeric(4);
/// 005
pub const RPL_ISUPPORT: Numeric = Numeric(5);
/// 221
pub const RPL_UMODEIS: Numeric = Numeric(221);
/// 251
pub const RPL_LUSERCLIENT: Numeric = Numeric(251);
/// 252
pub const RPL_LUSEROP: Numeric = Numeric(252);
/// 253
pub const RPL_LUSERUNKNOWN: Numeric = Numeric(253);
/// 254
pub const RPL_LUSERCHANNELS: Numeric = Numeric(254);
/// 255
pub const RPL_LUSERME: Numeric = Numeric(255);
/// 265
pub const RPL_LOCALUSERS: Numeric = Numeric(265);
/// 266
pub const RPL_GLOBALUSERS: Numeric = Numeric(266);
/// 301
pub const RPL_AWAY: Numeric = Numeric(301);
/// 305
pub const RPL_UNAWAY: Numeric = Numeric(305);
/// 306
pub const RPL_NOWAWAY: Numeric = Numeric(306);
/// 311
pub const RPL_WHOISUSER: Numeric = Numeric(311);
/// 312
pub const RPL_WHOISSERVER: Numeric = Numeric(312);
/// 313
pub const RPL_WHOISOPERATOR: Numeric = Numeric(313);
/// 315
pub const RPL_ENDOFWHO: Numeric = Numeric(315);
/// 317
pub const RPL_WHOISIDLE: Numeric = Numeric(317);
/// 318
pub const RPL_ENDOFWHOIS: Numeric = Numeric(318);
/// 319
pub const RPL_WHOISCHANNELS: Numeric = Numeric(319);
/// 321
pub const RPL_LISTSTART: Numeric = Numeric(321);
/// 322
pub const RPL_LIST: Numeric = Numeric(322);
/// 323
pub const RPL_LISTEND: Numeric = Numeric(323);
/// 324
pub const RPL_CHANNELMODEIS: Numeric = Numeric(324);
/// 329
pub const RPL_CREATIONTIME: Numeric = Numeric(329);
/// 330
pub const RPL_WHOISACCOUNT: Numeric = Numeric(330);
/// 331
pub const RPL_NOTOPIC: Numeric = Numeric(331);
/// 332
pub const RPL_TOPIC: Numeric = Numeric(332);
/// 333
pub const RPL_TOPICWHOTIME: Numeric = Numeric(333);
/// 335
pub const RPL_WHOISBOT: Numeric = Numeric(335);
/// 346
pub const RPL_INVITELIST: Numeric = Numeric(346);
/// 347
pub const RPL_ENDOFINVITELIST: Numeric = Numeric(347);
/// 348
pub const RPL_EXCEPTLIST: Numeric = Numeric(348);
/// 349
pub const RPL_ENDOFEXCEPTLIST: Numeric = Numeric(349);
/// 351
pub const RPL_VERSION: Numeric = Numeric(351);
/// 352
pub const RPL_WHOREPLY: Numeric = Numeric(352);
/// 353
pub const RPL_NAMREPLY: Numeric = Numeric(353);
/// 366
pub const RPL_ENDOFNAMES: Numeric = Numeric(366);
/// 367
pub const RPL_BANLIST: Numeric = Numeric(367);
/// 368
pub const RPL_ENDOFBANLIST: Numeric = Numeric(368);
/// 372
pub const RPL_MOTD: Numeric = Numeric(372);
/// 375
pub const RPL_MOTDSTART: Numeric = Numeric(375);
/// 376
pub const RPL_ENDOFMOTD: Numeric = Numeric(376);
/// 401
pub const ERR_NOSUCHNICK: Numeric = Numeric(401);
/// 402
pub const ERR_NOSUCHSERVER: Numeric = Numeric(402);
/// 403
pub const ERR_NOSUCHCHANNEL: Numeric = Numeric(403);
/// 404
pub const ERR_CANNOTSENDTOCHAN: Numeric = Numeric(404);
/// 405
pub const ERR_TOOMANYCHANNELS: Numeric = Numeric(405);
/// 407
pub const ERR_TOOMANYTARGETS: Numeric = Numeric(407);
/// 410
pub const ERR_INVALIDCAPCMD: Numeric = Numeric(410);
/// 411
pub const ERR_NORECIPIENT: Numeric = Numeric(411);
/// 412
pub const ERR_NOTEXTTOSEND: Numeric = Numeric(412);
/// 417
pub const ERR_INPUTTOOLONG: Numeric = Numeric(417);
/// 421
pub const ERR_UNKNOWNCOMMAND: Numeric = Numeric(421);
/// 422
pub const ERR_NOMOTD: Numeric = Numeric(422);
/// 431
pub const ERR_NONICKNAMEGIVEN: Numeric = Numeric(431);
/// 432
pub const ERR_ERRONEUSNICKNAME: Numeric = Numeric(432);
/// 433
pub const ERR_NICKNAMEINUSE: Numeric = Numeric(433);
/// 442
pub const ERR_NOTONCHANNEL: Numeric = Numeric(442);
/// 451
pub const ERR_NOTREGISTERED: Numeric = Numeric(451);
/// 461
pub const ERR_NEEDMOREPARAMS: Numeric = Numeric(461);
/// 462
pub const ERR_ALREADYREGISTERED: Numeric = Numeric(462);
/// 464
pub const ERR_PASSWDMISMATCH: Numeric = Numeric(464);
/// 472
pub const ERR_UNKNOWNMODE: Numeric = Numeric(472);
/// 476
pub const ERR_BADCHANMASK: Numeric = Numeric(476);
/// 482
pub const ERR_CHANOPRIVSNEEDED: Numeric = Numeric(482);
/// 501
pub const ERR_UMODEUNKNOWNFLAG: Numeric = Numeric(501);
/// 502
pub const ERR_USERSDONTMATCH: Numeric = Numeric(502);
/// 671
pub const RPL_WHOISSECURE: Numeric = Numeric(671);
/// 696
pub const ERR_INVALIDMODEPARAM: Numeric = Numeric(696);
/// 900
pub const RPL_LOGGEDIN: Numeric = Numeric(900);
/// 901
pub const RPL_LOGGEDOUT: Numeric = Numeric(901);
/// 902
pub const ERR_NICKLOCKED: Numeric = Numeric(902);
/// 903
pub const RPL_SASLSUCCESS: Numeric = Numeric(903);
/// 904
pub const ERR_SASLFAIL: Numeric = Numeric(904);
/// 905
pub const ERR_SASLTOOLONG: Numeric = Numeric(905);
/// 906
pub const ERR_SASLABORTED: Numeric = Numeric(906);
/// 907
pub const ERR_SASLALREADY: Numeric = Numeric(907);
/// 908
pub const RPL_SASLMECHS: Numeric = Numeric(908);
