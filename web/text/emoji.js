/**
 * Emoji by category, with the short names that `:tada:` and the like use (those of GitHub). A choice by hand: any other
 * emoji can be typed or pasted.
 */

/** @typedef {{ emoji: string, name: string }} Emoji */

const lists = /** @type {const} */ ({
  smileys: `😀 grinning;😃 smiley;😄 smile;😁 grin;😆 laughing;😅 sweat_smile;🤣 rofl;😂 joy;🙂 slightly_smiling_face;🙃 upside_down_face;😉 wink;😊 blush;
😇 innocent;🥰 smiling_face_with_three_hearts;😍 heart_eyes;🤩 star_struck;😘 kissing_heart;😋 yum;😛 stuck_out_tongue;
😜 stuck_out_tongue_winking_eye;🤪 zany_face;🤑 money_mouth_face;🤗 hugs;🤭 hand_over_mouth;🤫 shushing_face;🤔 thinking;🤐 zipper_mouth_face;
🤨 raised_eyebrow;😐 neutral_face;😑 expressionless;😶 no_mouth;😏 smirk;😒 unamused;🙄 roll_eyes;😬 grimacing;😌 relieved;😔 pensive;😪 sleepy;
😴 sleeping;😷 mask;🤒 face_with_thermometer;🤕 face_with_head_bandage;🤢 nauseated_face;🤮 vomiting_face;🤧 sneezing_face;🥵 hot_face;🥶 cold_face;
😵 dizzy_face;🤯 exploding_head;🤠 cowboy_hat_face;🥳 partying_face;😎 sunglasses;🤓 nerd_face;🧐 monocle_face;😕 confused;😟 worried;
🙁 slightly_frowning_face;😮 open_mouth;😲 astonished;😳 flushed;🥺 pleading_face;😨 fearful;😰 cold_sweat;😢 cry;😭 sob;😱 scream;😖 confounded;
😞 disappointed;😓 sweat;😩 weary;😫 tired_face;🥱 yawning_face;😤 triumph;😡 rage;😠 angry;🤬 cursing_face;😈 smiling_imp;💀 skull;💩 poop;🤡 clown_face;
👻 ghost;👽 alien;🤖 robot;😺 smiley_cat;🙈 see_no_evil;🙉 hear_no_evil;🙊 speak_no_evil;🫠 melting_face;🫡 saluting_face;🥲 smiling_face_with_tear`,
  people: `👋 wave;🤚 raised_back_of_hand;✋ hand;🖖 vulcan_salute;👌 ok_hand;🤌 pinched_fingers;✌️ v;🤞 crossed_fingers;🤟 love_you_gesture;🤘 metal;
🤙 call_me_hand;👈 point_left;👉 point_right;👆 point_up_2;👇 point_down;☝️ point_up;👍 +1;👎 -1;✊ fist;👊 punch;👏 clap;🙌 raised_hands;🫶 heart_hands;
👐 open_hands;🤝 handshake;🙏 pray;✍️ writing_hand;💪 muscle;👀 eyes;🧠 brain;👂 ear;👃 nose;👅 tongue;👄 lips;👶 baby;🧒 child;👩 woman;👨 man;
🧓 older_adult;🙋 raising_hand;🤦 facepalm;🤷 shrug;🙇 bow;💁 tipping_hand_person;🙅 no_good;🙆 ok_person;🕵️ detective;👮 cop;👷 construction_worker;
🧑‍💻 technologist;🧑‍🔬 scientist;🧑‍🍳 cook;🦸 superhero;🧙 mage;🧟 zombie;💃 dancer;🏃 running;🚶 walking;👪 family;🗣️ speaking_head`,
  nature: `🐶 dog;🐱 cat;🐭 mouse;🐹 hamster;🐰 rabbit;🦊 fox_face;🐻 bear;🐼 panda_face;🐨 koala;🐯 tiger;🦁 lion;🐮 cow;🐷 pig;🐸 frog;🐵 monkey_face;🐔 chicken;
🐧 penguin;🐦 bird;🦆 duck;🦅 eagle;🦉 owl;🐺 wolf;🐴 horse;🦄 unicorn;🐝 bee;🐛 bug;🦋 butterfly;🐌 snail;🐞 lady_beetle;🐜 ant;🕷️ spider;🐢 turtle;
🐍 snake;🦎 lizard;🐙 octopus;🦑 squid;🦀 crab;🐠 tropical_fish;🐬 dolphin;🐳 whale;🦈 shark;🐘 elephant;🦒 giraffe;🐑 sheep;🦔 hedgehog;🌵 cactus;
🌲 evergreen_tree;🌳 deciduous_tree;🌴 palm_tree;🌱 seedling;🍀 four_leaf_clover;🍁 maple_leaf;🍄 mushroom;🌸 cherry_blossom;🌹 rose;🌻 sunflower;
🌍 earth_africa;🌙 crescent_moon;⭐ star;🌟 star2;✨ sparkles;⚡ zap;🔥 fire;🌈 rainbow;☀️ sunny;⛅ partly_sunny;☁️ cloud;🌧️ cloud_with_rain;
❄️ snowflake;⛄ snowman;💧 droplet;🌊 ocean`,
  food: `🍏 green_apple;🍎 apple;🍐 pear;🍊 tangerine;🍋 lemon;🍌 banana;🍉 watermelon;🍇 grapes;🍓 strawberry;🍒 cherries;🍑 peach;🥭 mango;🍍 pineapple;
🥥 coconut;🥝 kiwi_fruit;🍅 tomato;🥑 avocado;🥦 broccoli;🥕 carrot;🌽 corn;🌶️ hot_pepper;🥔 potato;🧄 garlic;🥐 croissant;🍞 bread;🥨 pretzel;🧀 cheese;
🥚 egg;🍳 fried_egg;🥞 pancakes;🥓 bacon;🍗 poultry_leg;🍔 hamburger;🍟 fries;🍕 pizza;🌭 hotdog;🥪 sandwich;🌮 taco;🥗 green_salad;🍝 spaghetti;🍜 ramen;
🍣 sushi;🍚 rice;🍦 icecream;🍩 doughnut;🍪 cookie;🎂 birthday;🍰 cake;🧁 cupcake;🍫 chocolate_bar;🍬 candy;🍿 popcorn;☕ coffee;🍵 tea;🧃 beverage_box;
🥛 milk_glass;🍺 beer;🍻 beers;🥂 clinking_glasses;🍷 wine_glass;🍸 cocktail;🧉 mate;🍴 fork_and_knife`,
  activities: `⚽ soccer;🏀 basketball;🏈 football;🎾 tennis;🏐 volleyball;🏓 ping_pong;🏸 badminton;🥅 goal_net;🎣 fishing_pole_and_fish;🎿 ski;🏄 surfer;🏊 swimmer;
🚴 bicyclist;🧗 climbing;🏆 trophy;🥇 1st_place_medal;🥈 2nd_place_medal;🥉 3rd_place_medal;🏅 medal_sports;🎯 dart;🎳 bowling;🎮 video_game;
🎲 game_die;🧩 jigsaw;♟️ chess_pawn;🎨 art;🎭 performing_arts;🎤 microphone;🎧 headphones;🎸 guitar;🎹 musical_keyboard;🥁 drum;🎺 trumpet;🎻 violin;
🎬 clapper;🎉 tada;🎊 confetti_ball;🎈 balloon;🎁 gift;🎃 jack_o_lantern;🎄 christmas_tree;🎆 fireworks`,
  travel: `🚗 car;🚕 taxi;🚌 bus;🚎 trolleybus;🚓 police_car;🚑 ambulance;🚒 fire_engine;🚚 truck;🚜 tractor;🚲 bike;🛴 kick_scooter;🛵 motor_scooter;
🚂 steam_locomotive;🚆 train2;🚇 metro;🚊 tram;✈️ airplane;🚀 rocket;🛸 flying_saucer;🚁 helicopter;⛵ sailboat;🚢 ship;⚓ anchor;🚧 construction;
🚦 vertical_traffic_light;🗺️ world_map;🏔️ mountain_snow;🏕️ camping;🏖️ beach_umbrella;🏠 house;🏡 house_with_garden;🏢 office;🏥 hospital;🏦 bank;
🏫 school;🏭 factory;🏰 european_castle;⛪ church;🌃 night_with_stars;🌅 sunrise;🌉 bridge_at_night`,
  objects: `⌚ watch;📱 iphone;💻 computer;⌨️ keyboard;🖥️ desktop_computer;🖨️ printer;🖱️ computer_mouse;💾 floppy_disk;💿 cd;📷 camera;📹 video_camera;📺 tv;
📻 radio;⏰ alarm_clock;⏳ hourglass_flowing_sand;🔋 battery;🔌 electric_plug;💡 bulb;🔦 flashlight;🕯️ candle;🗑️ wastebasket;💰 moneybag;
💳 credit_card;💎 gem;⚖️ balance_scale;🔧 wrench;🔨 hammer;⚙️ gear;🧲 magnet;🔬 microscope;🔭 telescope;💊 pill;💉 syringe;🧪 test_tube;🧹 broom;
🧻 roll_of_paper;🛒 shopping_cart;🔑 key;🗝️ old_key;🚪 door;🛏️ bed;🛋️ couch_and_lamp;🚿 shower;📦 package;✉️ envelope;📧 email;📥 inbox_tray;
📤 outbox_tray;📜 scroll;📄 page_facing_up;📊 bar_chart;📈 chart_with_upwards_trend;📉 chart_with_downwards_trend;📅 date;📌 pushpin;📎 paperclip;
✂️ scissors;📝 memo;✏️ pencil2;📚 books;📖 book;🔍 mag;🔒 lock;🔓 unlock;🔔 bell;📣 mega;👓 eyeglasses;👕 shirt;👟 athletic_shoe;🎒 school_satchel;
☂️ open_umbrella`,
  symbols: `❤️ heart;🧡 orange_heart;💛 yellow_heart;💚 green_heart;💙 blue_heart;💜 purple_heart;🖤 black_heart;🤍 white_heart;💔 broken_heart;💕 two_hearts;
💖 sparkling_heart;💯 100;💢 anger;💥 boom;💫 dizzy;💦 sweat_drops;💨 dash;💬 speech_balloon;💭 thought_balloon;💤 zzz;✅ white_check_mark;
✔️ heavy_check_mark;❌ x;❓ question;❗ exclamation;⚠️ warning;🚫 no_entry_sign;⛔ no_entry;🛑 stop_sign;♻️ recycle;➕ heavy_plus_sign;
➖ heavy_minus_sign;➡️ arrow_right;⬅️ arrow_left;⬆️ arrow_up;⬇️ arrow_down;🔄 arrows_counterclockwise;🔁 repeat;▶️ arrow_forward;
⏸️ pause_button;⏹️ stop_button;🔴 red_circle;🟠 orange_circle;🟡 yellow_circle;🟢 green_circle;🔵 large_blue_circle;⚪ white_circle;⚫ black_circle;
🏁 checkered_flag;🚩 triangular_flag_on_post;🏳️ white_flag;🏴‍☠️ pirate_flag;🏳️‍🌈 rainbow_flag;🇪🇺 eu;🇩🇪 de;🇫🇷 fr;🇪🇸 es;🇮🇹 it;🇬🇧 gb;🇺🇸 us;🇯🇵 jp;
🇺🇦 ukraine;🆗 ok;🆕 new;ℹ️ information_source;™️ tm;©️ copyright;♾️ infinity`,
});

/** Categories with their emoji; `name` is a key of the texts. */
export const emojiGroups = Object.entries(lists).map(([name, list]) => ({
  name: /** @type {keyof typeof lists} */ (name),
  emoji: list.split(/;\s*/u).map((item) => {
    const [emoji, short] = item.split(" ");
    return /** @type {Emoji} */ ({ emoji, name: short });
  }),
}));

const all = emojiGroups.flatMap((group) => group.emoji);
/** Other names in use. @type {Record<string, string>} */
const aliases = { thumbsup: "+1", thumbsdown: "-1", hooray: "tada", lol: "joy", love: "heart", check: "white_check_mark", done: "white_check_mark", ok: "ok_hand", thanks: "pray", facepalm: "facepalm", laugh: "laughing", happy: "smile", sad: "cry", think: "thinking" };

/**
 * Returns the emoji of a short name without its colons.
 * @param {string} name
 */
export function findEmoji(name) {
  return all.find((one) => one.name === (aliases[name] ?? name))?.emoji;
}

/** Returns the short name of an emoji; itself where it has none. @param {string} emoji */
export function nameOf(emoji) {
  return all.find((one) => one.emoji === emoji)?.name ?? emoji;
}

/**
 * Returns emoji by a part of their names, best first.
 * @param {string} words
 * @param {number} limit
 */
export function searchEmoji(words, limit) {
  const query = words.replaceAll(" ", "_");
  const alias = Object.keys(aliases).filter((name) => name.startsWith(query)).map((name) => aliases[name]);
  const rank = (/** @type {Emoji} */ { name }) => name === query || alias.includes(name) ? 0 : name.startsWith(query) ? 1 : name.includes(`_${query}`) ? 2 : name.includes(query) ? 3 : 4;
  return all.filter((one) => rank(one) < 4).sort((a, b) => rank(a) - rank(b)).slice(0, limit);
}
