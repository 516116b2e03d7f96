"""Words that samples are made of: genres, countries and languages as TMDB has them; the rest is invented."""

# (id, name, movies per thousand, how much more or less its movies cost, earn and are talked about)
GENRES = (
    (18, "Drama", 446, -0.2), (35, "Comedy", 290, 0.1), (53, "Thriller", 168, 0.3), (10749, "Romance", 148, 0.0),
    (28, "Action", 145, 0.8), (27, "Horror", 103, 0.1), (80, "Crime", 95, 0.2), (99, "Documentary", 86, -1.5),
    (12, "Adventure", 77, 1.2), (878, "Science Fiction", 67, 0.9), (10751, "Family", 61, 0.7),
    (9648, "Mystery", 54, 0.3), (14, "Fantasy", 51, 0.9), (16, "Animation", 43, 0.6), (10769, "Foreign", 36, -1.2),
    (10402, "Music", 35, -0.4), (36, "History", 31, 0.0), (10752, "War", 29, 0.2), (37, "Western", 23, -0.1),
    (10770, "TV Movie", 17, -1.5),
)  # fmt: skip
COUNTRIES = (
    ("US", "United States of America", 465), ("GB", "United Kingdom", 90), ("FR", "France", 87), ("DE", "Germany", 50),
    ("IT", "Italy", 48), ("CA", "Canada", 39), ("JP", "Japan", 36), ("ES", "Spain", 21), ("RU", "Russia", 20),
    ("IN", "India", 18), ("HK", "Hong Kong", 13), ("SE", "Sweden", 13), ("AU", "Australia", 13),
    ("KR", "South Korea", 11), ("BE", "Belgium", 10), ("DK", "Denmark", 8), ("FI", "Finland", 8), ("CN", "China", 8),
    ("MX", "Mexico", 7), ("BR", "Brazil", 6), ("IE", "Ireland", 5), ("CZ", "Czech Republic", 5), ("TR", "Turkey", 4),
    ("IR", "Iran", 2), ("LA", "Lao People's Democratic Republic", 1), ("MO", "Macao", 1),
)  # fmt: skip
LANGUAGES = (
    ("en", "English", 632), ("fr", "Français", 92), ("de", "Deutsch", 58), ("es", "Español", 53),
    ("it", "Italiano", 52), ("ja", "日本語", 39), ("ru", "Pусский", 34), ("zh", "普通话", 17), ("hi", "हिन्दी", 16),
    ("pt", "Português", 13), ("sv", "svenska", 12), ("ko", "한국어/조선말", 12), ("cn", "广州话 / 廣州話", 10),
    ("ar", "العربية", 7), ("xx", "No Language", 7), ("he", "עִבְרִית", 5), ("lt", "Lietuvi\x9akai", 2),
    ("yi", "", 1), ("tl", "", 1), ("ml", "", 1),
)  # fmt: skip
# Titles in the original language, by its code; movies of other languages keep their title.
NATIVE_TITLES = {
    "fr": ("L'Été de la Côte", "Les Enfants de Névers-le-Vieux", "À la recherche de Gisèle", "Une nuit à Belle-Rive"),
    "de": ("Das Mädchen aus Königsbrück", "Der Schatten über Altmühl", "Grüße aus dem Süden", "Die Rückkehr"),
    "es": ("¿Quién espera a Doña Inés?", "La Sombra de la montaña", "Los Años de piedra", "El Niño y la última luna"),
    "it": ("Il Ragazzo di Montevero", "La Città di nessuno", "Perché, Donna Lucia?", "Operazione mezzanotte"),
    "ja": ("夜の灯台", "東京の約束", "さよなら、カモメ", "最後の侍たち", "ゴースト×時計屋"),
    "ru": ("Последний поезд", "Ночной берег", "Тихий город", "Белый снег"),
    "hi": ("मेरा गाँव", "आखिरी सफर", "नया वादा"),
    "ko": ("밤의 바다", "마지막 기차", "푸른 약속"),
}
STATUSES = (
    ("Released", 45014), ("Rumored", 230), ("Post Production", 98), ("", 81), ("In Production", 20), ("Planned", 15),
)  # fmt: skip

ADJECTIVES = (
    "Silent", "Last", "Crimson", "Hollow", "Golden", "Midnight", "Broken", "Secret", "Distant", "Wild", "Burning",
    "Lonely", "Perfect", "Invisible", "Bitter", "Paper", "Northern", "Second", "Endless", "Forgotten", "Iron", "Velvet",
)  # fmt: skip
NOUNS = (
    "Harbour", "Garden", "River", "Letter", "Mirror", "Orchard", "Summer", "Winter", "Road", "House", "Lantern",
    "Carnival", "Station", "Promise", "Kingdom", "Stranger", "Daughter", "Detective", "Island", "Bridge", "Whistle",
    "Shadow", "Wolf", "Sparrow", "Thief", "Waltz", "Engine", "Comet", "Café", "Empire", "Verdict", "Lullaby",
)  # fmt: skip
TITLES = (
    "The {adjective} {noun}", "{adjective} {noun}", "{noun} of the {other}", "{name}'s {noun}", "My {adjective} {noun}",
    "The {noun} and the {other}", "{name} and the {adjective} {noun}", "{noun}: The {other}", "{noun} II",
    "No {noun}, No {other}",
)  # fmt: skip
ODD_TITLES = (
    "True", ".38", "+3", "7/12", "1919", "Nan", "[Untitled]", "Men, Women & Wolves", '"Zero" Hour', "Ü", "None",
    'She Said, "Never"', "$", "Don't!", "10,000 Lakes", "#9",
)  # fmt: skip
TAGLINES = (
    "The truth is only the beginning.", "Leave the lights on.", "Don't look back.", "One city. No way out.",
    "It's never too late to start over.", "Love is a word of four letters…", 'They called it "the perfect crime".',
    "Everybody wants something!", "A comedy for people who hate comedies.", "Based on a true story, more or less.",
    "This time, it rains.", "Every family has a secret.", "They came back.", "Fear has a new address.",
)  # fmt: skip
NAMES = (
    "Maria", "Jonas", "Priya", "Aiko", "François", "Grace", "Dmitri", "Björn", "Carmen", "D'Angelo", "O'Brien", "Zoë",
    "Lucía", "Kwame", "Rosalind", "Mr. Finch", "Yusuf", "Sister Agnes", "Captain Rourke", "Clementine",
)  # fmt: skip
PLACES = (
    "Lisbon", "Malmö", "the Nevada desert", "post-war Berlin", "a fishing port", "Kraków", "Côte d'Azur", "Old Havana",
    "a remote village in Normandy", "the outskirts of Chicago", "Osaka", "a snowbound hotel", "a suburb of Leeds",
)  # fmt: skip
ROLES = (
    "a bank clerk", "a washed-up actor", "a nightclub singer", "a young widow", "a small-town sheriff", "a retired spy",
    "a ship's cook", "a runaway bride", "an aging boxer", "a chess prodigy", "a lighthouse keeper",
)  # fmt: skip
DEEDS = (
    "stumbles on a plot to steal a priceless painting", "has one day to raise the money", "agrees to one last job",
    "sets out to find a brother who vanished ten years earlier", "inherits a house nobody dares to enter",
    "falls in love with the one person who can't love back", "must clear a dead friend's name", "takes the wrong train",
    "tries to hold the family together during one long hot summer", "makes a bargain with a stranger",
    "discovers that the past isn't as buried as it seemed", "witnesses a crime that nobody else believes in",
)  # fmt: skip
SENTENCES = (
    "{name}, {role} from {place}, {deed} and {deed2}.", "When {name} {deed}, {role} {deed2}…",
    "{name} {deed} while {name2} {deed2}.", "In {place} {role} named {name} {deed}.",
    'Known to everyone as "the King of {place}", {name} {deed}.', "But nothing is what it seems.",
    "Set in {place}, where {role} {deed}, this is the story of {name} and {name2}.", "Soon the whole town is talking.",
)  # fmt: skip

STUDIOS = (  # the largest first, with their share of all credits in percent
    ("Meridian Bros.", 8), ("Colossus Pictures", 6), ("Twentieth Star", 5), ("Golden Lion Studios", 4),
    ("Cascade Films", 3), ("Harvest Moon Animation", 2),
)  # fmt: skip
COMPANY_WORDS = (
    "Aurora", "Blackthorn", "Cinder", "Delphi", "Ember", "Foxglove", "Granite", "Halcyon", "Indigo", "Juniper",
    "Kestrel", "Lighthouse", "Nightjar", "Orpheus", "Pinnacle", "Quarry", "Rook", "Silverline", "Tamarind", "Umbra",
    "Vantage", "Westerly", "Xenia", "Yellowwood", "Zephyr", "Cobalt", "Driftwood", "Eastgate", "Falcon", "Gable",
    "Ivory", "Jupiter", "Kite", "Lark", "Marble", "North Star", "Obsidian", "Paper Moon", "Quill", "Redwood",
)  # fmt: skip
COMPANY_FORMS = (
    "Pictures", "Films", "Productions", "Entertainment", "Studios", "Cinema", "Media", "Film Corporation", "Releasing",
    "Motion Pictures", "Filmproduktion", "Cinematografica", "TV", "Film Group", "(UK)",
)  # fmt: skip
# Names that careless parsers lose, made of two words and a form.
ODD_COMPANIES = (
    '{first}\'s "{second}" {form}', "Étoile d'Or {first}", '{first} "{second}" {form}', "月光映画 {first}",
    "\xa0{first} {form}", "{first}, a {second} {form}", "{first} {form}\\", "{first}\t{second}",
    "\u200b{first} {second}", "{number}", "Société du {first}", "Łódź {second}", "{first}'s {form}",
)  # fmt: skip

FEMALE_NAMES = (
    "Ada", "Beatriz", "Chloé", "Dagmar", "Eun-ji", "Freya", "Giulia", "Hanna", "Ingrid", "Joan", "Katarzyna", "Lakshmi",
    "Mei", "Nadia", "Olga", "Penélope", "Rosa", "Saoirse", "Tilda", "Uma", "Valérie", "Winona", "Yasmin", "Zsófia",
)  # fmt: skip
MALE_NAMES = (
    "Akira", "Benedict", "Carlos", "Dieter", "Emil", "Farhad", "Giorgio", "Håkon", "Idris", "Jean-Luc", "Krzysztof",
    "Liam", "Marlon", "Nikolai", "Oscar", "Pedro", "Raj", "Søren", "Takeshi", "Umberto", "Viktor", "Walter", "Yves",
    "Zoltán",
)  # fmt: skip
SURNAMES = (
    "Abbott", "Almqvist", "Bardem-Ruiz", "Brennan", "Castellano", "Chevalier", "D'Amico", "Dvořák", "Eriksson", "Fonda",
    "Garcia", "Gallagher", "Hashimoto", "Holm", "Iyer", "Ivanov", "Jovović", "Kaminski", "Kowalski", "Larsen", "Lee",
    "MacReady", "Moreau", "Müller", "Nakamura", "Novak", "O'Connell", "O'Hara", "Okafor", "Petrov", "Quinn", "Rossi",
    "Sato", "Singh", "St. Clair", "Szabó", "Tanaka", "Tóth", "Underhill", "Vasquez", "von Trier-Falk", "Wang", "Weiss",
    "Xu", "Yamamoto", "Young Jr.", "Zhang", "Zimmer", "de la Cruz", "\"Bud\" Harper", "Kim", "Johnson", "Smith",
    "Brown",
)  # fmt: skip
CHARACTERS = (
    *("{name}", "{name} {surname}") * 12, "{name} (voice)", "{name} {surname} (as a child)", "Himself", "Herself",
    "{name} '{surname}' Jones", 'Dr. "{name}" {surname}', "Mrs. {surname}", "Cop", "Waitress", "Girl #2", "Paramedic",
    "Self - Narrator", "{name} / {surname}", "Guard (uncredited)", "L'inspecteur {surname}", "",
)  # fmt: skip
# (department, job, how many) as TMDB names them; the first is that of a movie's first member of the crew.
JOBS = (
    ("Directing", "Director", 10), ("Production", "Producer", 167), ("Writing", "Screenplay", 110),
    ("Editing", "Editor", 90), ("Production", "Executive Producer", 86), ("Camera", "Director of Photography", 73),
    ("Production", "Casting", 59), ("Sound", "Original Music Composer", 51), ("Sound", "Sound Re-Recording Mixer", 45),
    ("Art", "Production Design", 39), ("Costume & Make-Up", "Costume Design", 39), ("Visual Effects", "Animation", 38),
    ("Writing", "Writer", 38), ("Art", "Art Direction", 34), ("Art", "Set Decoration", 32),
    ("Camera", "Still Photographer", 30), ("Camera", "Camera Operator", 29), ("Crew", "Thanks", 28),
    ("Costume & Make-Up", "Makeup Artist", 26), ("Editing", "Dialogue Editor", 26), ("Sound", "Music", 25),
    ("Writing", "Novel", 23), ("Directing", "Script Supervisor", 23), ("Crew", "Stunts", 22),
    ("Production", "Co-Producer", 22), ("Sound", "Supervising Sound Editor", 21),
    ("Costume & Make-Up", "Hairstylist", 21),
    ("Sound", "Foley", 18), ("Camera", "Steadicam Operator", 13), ("Lighting", "Gaffer", 13),
    ("Lighting", "Electrician", 12), ("Visual Effects", "Visual Effects", 11), ("Crew", "Special Effects", 11),
    ("Writing", "Story", 10), ("Crew", "Carpenter", 10), ("Visual Effects", "Visual Effects Supervisor", 7),
    ("Actors", "Actor", 1),
)  # fmt: skip
KEYWORDS = (
    "woman director", "independent film", "murder", "based on novel", "musical", "violence", "revenge", "biography",
    "suspense", "love", "sport", "police", "duringcreditsstinger", "teenager", "sequel", "friendship", "world war ii",
    "stand-up comedy", "prison", "high school", "martial arts", "silent film", "film noir", "kidnapping", "family",
    "monster", "alien", "dystopia", "paris", "new york", "marriage", "christmas", "small town", "detective", "vampire",
    "father son relationship", "wedding", "escape", "dog", "based on children's book", "new year's eve", "für elise",
    "halley's comet", "\xa0nightgown", "cinéma vérité", "côte d'azur", "doppelgänger", "coup d'etat", "9/11", "1920s",
)  # fmt: skip
KEYWORD_KINDS = (
    "lost", "secret", "false", "forbidden", "female", "old", "small", "ancient", "american", "summer", "first", "magic",
    "child's", "undercover", "rural", "stolen", "dangerous", "family", "rival", "space", "wartime", "night",
)  # fmt: skip
KEYWORD_SUBJECTS = (
    "love", "letter", "agent", "village", "journey", "identity", "treasure", "island", "train", "teacher", "ghost",
    "neighbour", "lawyer", "orphan", "robot", "hunter", "dance", "priest", "garden", "boxing", "nurse", "circus",
    "mother daughter relationship", "fiancé", "café", "duel", "trial", "sea", "horse", "painter", "spy", "experiment",
    "dream", "escape",
)  # fmt: skip
