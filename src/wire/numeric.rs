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
/// 219
pub const RPL_ENDOFSTATS: Numeric = Numeric(219);
/// 221
pub const RPL_UMODEIS: Numeric = Numeric(221);
/// 242
pub const RPL_STATSUPTIME: Numeric = Numeric(242);
/// 249
pub const RPL_STATSOTHER: Numeric = Numeric(249);
/// 251
pub const RPL_LUSERCLIENT: Numeric = Numeric(251);
/// 254
pub const RPL_LUSERCHANNELS: Numeric = Numeric(254);
/// 255
pub const RPL_LUSERME: Numeric = Numeric(255);
/// 256
pub const RPL_ADMINME: Numeric = Numeric(256);
/// 257
pub const RPL_ADMINLOC1: Numeric = Numeric(257);
/// 258
pub const RPL_ADMINLOC2: Numeric = Numeric(258);
/// 265
pub const RPL_LOCALUSERS: Numeric = Numeric(265);
/// 266
pub const RPL_GLOBALUSERS: Numeric = Numeric(266);
/// 301
pub const RPL_AWAY: Numeric = Numeric(301);
/// 302
pub const RPL_USERHOST: Numeric = Numeric(302);
/// 303
pub const RPL_ISON: Numeric = Numeric(303);
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
/// 314
pub const RPL_WHOWASUSER: Numeric = Numeric(314);
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
/// 341
pub const RPL_INVITING: Numeric = Numeric(341);
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
/// 354
pub const RPL_WHOSPCRPL: Numeric = Numeric(354);
/// 366
pub const RPL_ENDOFNAMES: Numeric = Numeric(366);
/// 367
pub const RPL_BANLIST: Numeric = Numeric(367);
/// 368
pub const RPL_ENDOFBANLIST: Numeric = Numeric(368);
/// 369
pub const RPL_ENDOFWHOWAS: Numeric = Numeric(369);
/// 371
pub const RPL_INFO: Numeric = Numeric(371);
/// 372
pub const RPL_MOTD: Numeric = Numeric(372);
/// 374
pub const RPL_ENDOFINFO: Numeric = Numeric(374);
/// 375
pub const RPL_MOTDSTART: Numeric = Numeric(375);
/// 376
pub const RPL_ENDOFMOTD: Numeric = Numeric(376);
/// 381
pub const RPL_YOUREOPER: Numeric = Numeric(381);
/// 382
pub const RPL_REHASHING: Numeric = Numeric(382);
/// 391
pub const RPL_TIME: Numeric = Numeric(391);
/// 400
pub const ERR_UNKNOWNERROR: Numeric = Numeric(400);
/// 401
pub const ERR_NOSUCHNICK: Numeric = Numeric(401);
/// 403
pub const ERR_NOSUCHCHANNEL: Numeric = Numeric(403);
/// 404
pub const ERR_CANNOTSENDTOCHAN: Numeric = Numeric(404);
/// 405
pub const ERR_TOOMANYCHANNELS: Numeric = Numeric(405);
/// 406
pub const ERR_WASNOSUCHNICK: Numeric = Numeric(406);
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
/// 441
pub const ERR_USERNOTINCHANNEL: Numeric = Numeric(441);
/// 442
pub const ERR_NOTONCHANNEL: Numeric = Numeric(442);
/// 443
pub const ERR_USERONCHANNEL: Numeric = Numeric(443);
/// 451
pub const ERR_NOTREGISTERED: Numeric = Numeric(451);
/// 461
pub const ERR_NEEDMOREPARAMS: Numeric = Numeric(461);
/// 462
pub const ERR_ALREADYREGISTERED: Numeric = Numeric(462);
/// 464
pub const ERR_PASSWDMISMATCH: Numeric = Numeric(464);
/// 470
pub const ERR_LINKCHANNEL: Numeric = Numeric(470);
/// 471
pub const ERR_CHANNELISFULL: Numeric = Numeric(471);
/// 472
pub const ERR_UNKNOWNMODE: Numeric = Numeric(472);
/// 473
pub const ERR_INVITEONLYCHAN: Numeric = Numeric(473);
/// 474
pub const ERR_BANNEDFROMCHAN: Numeric = Numeric(474);
/// 475
pub const ERR_BADCHANNELKEY: Numeric = Numeric(475);
/// 478
pub const ERR_BANLISTFULL: Numeric = Numeric(478);
/// 481
pub const ERR_NOPRIVILEGES: Numeric = Numeric(481);
/// 482
pub const ERR_CHANOPRIVSNEEDED: Numeric = Numeric(482);
/// 483
pub const ERR_CANTKILLSERVER: Numeric = Numeric(483);
/// 501
pub const ERR_UMODEUNKNOWNFLAG: Numeric = Numeric(501);
/// 502
pub const ERR_USERSDONTMATCH: Numeric = Numeric(502);
/// 524
pub const ERR_HELPNOTFOUND: Numeric = Numeric(524);
/// 671
pub const RPL_WHOISSECURE: Numeric = Numeric(671);
/// 696
pub const ERR_INVALIDMODEPARAM: Numeric = Numeric(696);
/// 704
pub const RPL_HELPSTART: Numeric = Numeric(704);
/// 705
pub const RPL_HELPTXT: Numeric = Numeric(705);
/// 706
pub const RPL_ENDOFHELP: Numeric = Numeric(706);
/// 710
pub const RPL_KNOCK: Numeric = Numeric(710);
/// 711
pub const RPL_KNOCKDLVR: Numeric = Numeric(711);
/// 712
pub const ERR_TOOMANYKNOCK: Numeric = Numeric(712);
/// 713
pub const ERR_CHANOPEN: Numeric = Numeric(713);
/// 714
pub const ERR_KNOCKONCHAN: Numeric = Numeric(714);
/// 730
pub const RPL_MONONLINE: Numeric = Numeric(730);
/// 731
pub const RPL_MONOFFLINE: Numeric = Numeric(731);
/// 732
pub const RPL_MONLIST: Numeric = Numeric(732);
/// 733
pub const RPL_ENDOFMONLIST: Numeric = Numeric(733);
/// 734
pub const ERR_MONLISTFULL: Numeric = Numeric(734);
/// 760
pub const RPL_WHOISKEYVALUE: Numeric = Numeric(760);
/// 761
pub const RPL_KEYVALUE: Numeric = Numeric(761);
/// 766
pub const RPL_KEYNOTSET: Numeric = Numeric(766);
/// 770
pub const RPL_METADATASUBOK: Numeric = Numeric(770);
/// 771
pub const RPL_METADATAUNSUBOK: Numeric = Numeric(771);
/// 772
pub const RPL_METADATASUBS: Numeric = Numeric(772);
/// 774
pub const RPL_METADATASYNCLATER: Numeric = Numeric(774);
/// 900
pub const RPL_LOGGEDIN: Numeric = Numeric(900);
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
