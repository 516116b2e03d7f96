"""Words and facts that sample texts are made of: genres, countries and languages of TMDB with their
frequencies in The Movies Dataset; everything else is invented.
"""

# (id, name, movies per thousand)
GENRES = (
    (18, "Drama", 446),
    (35, "Comedy", 290),
    (53, "Thriller", 168),
    (10749, "Romance", 148),
    (28, "Action", 145),
    (27, "Horror", 103),
    (80, "Crime", 95),
    (99, "Documentary", 86),
    (12, "Adventure", 77),
    (878, "Science Fiction", 67),
    (10751, "Family", 61),
    (9648, "Mystery", 54),
    (14, "Fantasy", 51),
    (16, "Animation", 43),
    (10769, "Foreign", 36),
    (10402, "Music", 35),
    (36, "History", 31),
    (10752, "War", 29),
    (37, "Western", 23),
    (10770, "TV Movie", 17),
)
COUNTRIES = (
    ("US", "United States of America", 465),
    ("GB", "United Kingdom", 90),
    ("FR", "France", 87),
    ("DE", "Germany", 50),
    ("IT", "Italy", 48),
    ("CA", "Canada", 39),
    ("JP", "Japan", 36),
    ("ES", "Spain", 21),
    ("RU", "Russia", 20),
    ("IN", "India", 18),
    ("HK", "Hong Kong", 13),
    ("SE", "Sweden", 13),
    ("AU", "Australia", 13),
    ("KR", "South Korea", 11),
    ("BE", "Belgium", 10),
    ("DK", "Denmark", 8),
    ("FI", "Finland", 8),
    ("PL", "Poland", 7),
    ("BR", "Brazil", 6),
    ("LA", "Lao People's Democratic Republic", 1),
)
SPOKEN = (
    ("en", "English", 632),
    ("fr", "Français", 92),
    ("de", "Deutsch", 58),
    ("es", "Español", 53),
    ("it", "Italiano", 52),
    ("ja", "日本語", 39),
    ("ru", "Pусский", 34),
    ("zh", "普通话", 17),
    ("hi", "हिन्दी", 16),
    ("pt", "Português", 13),
    ("ko", "한국어/조선말", 12),
    ("cn", "广州话 / 廣州話", 10),
    ("ar", "العربية", 8),
    ("xx", "No Language", 7),
    ("cs", "Český", 6),
    ("lt", "Lietuvi\x9akai", 2),
    ("ml", "", 1),
)
ORIGINAL_LANGUAGES = (
    ("en", 710),
    ("fr", 54),
    ("it", 34),
    ("ja", 30),
    ("de", 24),
    ("es", 22),
    ("ru", 18),
    ("hi", 11),
    ("ko", 10),
    ("zh", 9),
    ("sv", 8),
    ("pt", 7),
    ("fi", 7),
)
# original language -> (first words, last words) of an original title; other languages keep the title
NATIVE_TITLES = {
    "fr": (
        ("L'Été de", "Les Enfants de", "Le Dernier Train pour", "À la recherche de", "Une nuit à"),
        ("la Côte", "Névers-le-Vieux", "l'Oncle Édouard", "Gisèle", "la forêt", "minuit", "Belle-Rive"),
    ),
    "it": (
        ("Il Ragazzo di", "La Città di", "Operazione", "Perché", "L'Ultima estate a"),
        ("Montevero", "nessuno", "Porto Chiaro", "Donna Lucia", "San Telmo", "mezzanotte"),
    ),
    "ja": (
        ("夜の", "東京の", "さよなら、", "最後の", "ゴースト×"),
        ("灯台", "約束", "カモメ", "侍たち", "桜並木", "時計屋", "第3部"),
    ),
    "de": (
        ("Das Mädchen aus", "Der Schatten über", "Grüße aus", "Die Rückkehr nach", "Ein Sommer in"),
        ("Königsbrück", "Altmühl", "dem Süden", "der Vorstadt", "Nirgendwo", "Wörth"),
    ),
    "es": (
        ("La Sombra de", "¿Quién espera a", "El Niño y", "Los Años de", "Corazón de"),
        ("la montaña?", "piedra", "Doña Inés", "la última luna", "Río Seco", "mañana"),
    ),
    "ru": (
        ("Последний", "Ночной", "Тихий", "Белый", "Старый"),
        ("поезд", "берег", "снег", "город", "сон", "дом на реке"),
    ),
    "ko": (("밤의", "마지막", "푸른"), ("약속", "바다", "기차", "편지")),
    "zh": (("紅色", "最後的", "城南"), ("月亮", "渡船", "舊夢", "書店")),
    "hi": (("मेरा", "आखिरी", "नया"), ("गाँव", "सफर", "वादा", "सपना")),
}

NAMES = (
    *("Maria", "Jonas", "Priya", "Aiko", "François", "Grace", "Dmitri", "Ilona", "Björn", "Carmen", "Emil"),
    *(
        "D'Angelo",
        "O'Brien",
        "Zoë",
        "Håkan",
        "Lucía",
        "Samuel",
        "Nadia",
        "Theo",
        "Wanda",
        "Kwame",
        "Rosalind",
    ),
    *("Mr. Finch", "Yusuf", "Mei", "Sister Agnes", "Captain Rourke", "Old Tom", "Clementine", "Rafael"),
)
SURNAMES = (
    *("Butcher", "Marlowe", "Hale", "Okafor", "Lindqvist", "Moreau", "Castellano", "Novak", "Tanaka"),
    *("Whitlock", "Fairbairn", "Draper", "Ashdown", "Kessler", "Pemberton", "Salinger", "Varga", "Quill"),
)
PLACES = (
    *("Lisbon", "Malmö", "Reykjavík", "Kolkata", "the Nevada desert", "post-war Berlin", "a fishing port"),
    *("Kraków", "a remote village in Normandy", "the outskirts of Chicago", "Côte d'Azur", "a border town"),
    *("Old Havana", "Osaka", "a snowbound hotel", "Salt Creek", "the Baltic coast", "a suburb of Leeds"),
)
ROLES = (
    *("a bank clerk", "a washed-up actor", "a nightclub singer", "a young widow", "a small-town sheriff"),
    *(
        "a street magician",
        "a retired spy",
        "a ship's cook",
        "a piano tuner",
        "a runaway bride",
        "a beekeeper",
    ),
    *("an aging boxer", "a night watchman", "a chess prodigy", "a reluctant heir", "a lighthouse keeper"),
)
DEEDS = (
    *("stumbles on a plot to steal a priceless painting", "has one day to raise the money"),
    *("sets out to find a brother who vanished ten years earlier", "agrees to one last job"),
    *("falls in love with the one person who can't love back", "inherits a house nobody dares to enter"),
    *("learns what it means to tell the truth", "must clear a dead friend's name"),
    *("tries to hold the family together during one long hot summer", "takes the wrong train"),
    *("discovers that the past isn't as buried as it seemed", "makes a bargain with a stranger"),
    *("witnesses a crime that nobody else believes in", "is hired to guard an empty museum"),
)
TWISTS = (
    *("But an unexpected visitor changes everything", "Nothing is what it seems", "Time is running out"),
    *("Soon the whole town is talking", "The truth turns out to be stranger than any rumour"),
    *("What begins as a joke ends in a trial that divides a generation", "Winter comes early that year"),
    *("Based on the stage play that ran for eleven years", "A story about memory and forgiveness"),
)
NICKNAMES = (
    *("Doc", "The Crow", "Little Caesar of the Docks", "Lady Blue", "The Swede", "Two-Coat Charlie", "Saint"),
    *("the King of Harbour Street", "Nobody"),
)
ADJECTIVES = (
    *("Silent", "Last", "Crimson", "Hollow", "Golden", "Midnight", "Broken", "Secret", "Distant", "Wild"),
    *("Burning", "Lonely", "Perfect", "Invisible", "Bitter", "Paper", "Northern", "Second", "Endless"),
    *(
        "Blue",
        "Forgotten",
        "Quiet",
        "Iron",
        "Velvet",
        "Reckless",
        "Stolen",
        "Hidden",
        "Bright",
        "Lost",
        "Cold",
    ),
)
NOUNS = (
    *("Harbour", "Garden", "River", "Letter", "Mirror", "Orchard", "Summer", "Winter", "Road", "House"),
    *("Lantern", "Carnival", "Station", "Promise", "Kingdom", "Stranger", "Daughter", "Detective", "Island"),
    *("Bridge", "Whistle", "Shadow", "Wolf", "Sparrow", "Thief", "Waltz", "Engine", "Comet", "Circus"),
    *("Fortune", "Affair", "Alibi", "Café", "Empire", "Masquerade", "Verdict", "Horizon", "Lullaby"),
)
ODD_TITLES = (
    *("True", ".38", "+3", "7/12", "1919", "Nan", "[Untitled]", "Men, Women & Wolves", '"Zero" Hour', "Ü"),
    *("None", 'She Said, "Never"', "$", "Don't!", "Éclat", "10,000 Lakes", "#9", "O"),
)
TAGLINES = (
    *("The truth is only the beginning", "Leave the lights on", "Don't look back", "One city", "No way out"),
    *("It's never too late to start over", "Love is a word of four letters", "Some doors stay closed"),
    *('They called it "the perfect crime"', "Everybody wants something", "The hunt is on", "Trust no one"),
    *("A comedy for people who hate comedies", "Based on a true story, more or less", "This time, it rains"),
    *("Every family has a secret", "They came back", "Fear has a new address", "Run, and keep running"),
)

COMPANY_WORDS = (
    *("Aurora", "Blackthorn", "Cinder", "Delphi", "Ember", "Foxglove", "Granite", "Halcyon", "Indigo"),
    *("Juniper", "Kestrel", "Lighthouse", "Meridian", "Nightjar", "Orpheus", "Pinnacle", "Quarry", "Rook"),
    *("Silverline", "Tamarind", "Umbra", "Vantage", "Westerly", "Xenia", "Yellowwood", "Zephyr", "Bright"),
    *("Cobalt", "Driftwood", "Eastgate", "Falcon", "Gable", "Harvest", "Ivory", "Jupiter", "Kite", "Lark"),
    *("Marble", "North Star", "Obsidian", "Paper Moon", "Quill", "Redwood", "Sextant", "Thistle", "Union"),
    *("Vermilion", "Wren", "Atlas", "Bluebird", "Copper", "Dover", "Elm", "Fable", "Grove", "Helix", "Iris"),
)
COMPANY_SUFFIXES = (
    *("Pictures", "Films", "Productions", "Entertainment", "Film", "Studios", "Cinema", "Media"),
    *("Film Corporation", "Motion Pictures", "Company", "Filmproduktion", "Cinematografica", "TV"),
    *("Pictures Corporation", "Film Group", "Releasing", "International", "(UK)", "Distribution"),
)
COMPANY_ACCENTS = (
    *("Étoile d'Or", "Société Générale du Rêve", "Compañía del Río", "Nordisk Måne", "Łódź Film Śląsk"),
    *("Münchner Bühne", "Čas Studio", "Cinéma de l'Île", "Österreichische Bildfabrik", "São Tomé Filmes"),
)
COMPANY_JAPANESE = (
    "月光映画",
    "東海フィルム",
    "カモメ製作委員会",
    "青空スタジオ",
    "山手テレビ",
    "ほたる工房",
)
