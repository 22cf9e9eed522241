# SPDX-License-Identifier: Apache-2.0
"""Values for the corpus: numbers with sound check digits in the ways people print them, and their likes that have none.

The check digits are computed here a second time, from the standards and not from src/privacy.
"""
import random
import string

NBSP, NNBSP = "\u00a0", "\u202f"


def digits(r: random.Random, count: int) -> str:
    return "".join(r.choice(string.digits) for _ in range(count))


def grouped(text: str, sizes, between: str) -> str:
    out, at = [], 0
    for size in sizes:
        out.append(text[at:at + size])
        at += size
    return between.join(part for part in out + [text[at:]] if part)


def mod97(text: str) -> int:
    return int("".join(str(int(c, 36)) for c in text)) % 97


def iban(r, sound=True) -> str:
    country, body = r.choice([("DE", 18), ("DE", 18), ("DE", 18), ("AT", 16), ("FR", 23), ("NL", 0), ("GB", 0), ("CH", 17)])
    bban = {"NL": "ABNA" + digits(r, 10), "GB": "BARC" + digits(r, 14)}.get(country) or digits(r, body)
    check = 98 - mod97(bban + country + "00")
    if not sound:
        check = (check + r.randrange(1, 90)) % 97 + 2
        if mod97(bban + country + f"{check:02}") == 1:
            check = check % 97 + 1
    text = f"{country}{check:02}{bban}"
    return r.choice([lambda: grouped(text, [4] * 9, " "), lambda: grouped(text, [4] * 9, " "), lambda: text, lambda: grouped(text, [4] * 9, NBSP),
                     lambda: grouped(text, [4] * 9, "-"), lambda: text.lower(), lambda: grouped(text, [2, 2, 4, 4, 4, 4, 4, 4], " ")])()


def mod_11_10(body: str) -> str:
    product = 10
    for c in body:
        total = (int(c) + product) % 10 or 10
        product = total * 2 % 11
    return str((11 - product) % 10)


def tax_id(r, sound=True) -> str:
    while True:
        pool = r.sample(string.digits, 9)
        body = pool + [r.choice(pool)]
        r.shuffle(body)
        body = "".join(body)
        if body[0] != "0":
            break
    check = mod_11_10(body)
    if not sound:
        check = str((int(check) + r.randrange(1, 10)) % 10)
    text = body + check
    return r.choice([text, grouped(text, [2, 3, 3, 3], " "), grouped(text, [2, 3, 3, 3], NBSP), grouped(text, [2, 3, 3, 3], " ")])


def tax_number(r) -> str:
    a, b, c, d = digits(r, 2), digits(r, 3), digits(r, 5), digits(r, 4)
    return r.choice([f"{a}/{b}/{c}", f"1{a}/{b}/{c}", f"1{a}/{d}/{d[::-1]}", f"{a}{b}/{c}", f"{a} {b} {c}", f"28{a}0{b}{c}"])


def social_insurance(r, sound=True) -> str:
    area = r.choice(["02", "09", "13", "28", "38", "39", "40", "50", "53", "65", "80"])
    text = f"{area}{r.randrange(1, 29):02}{r.randrange(1, 13):02}{r.randrange(0, 100):02}{r.choice(string.ascii_uppercase)}{r.randrange(0, 100):02}"
    plain = text[:8] + f"{ord(text[8]) - 64:02}" + text[9:]
    total = sum(sum(map(int, str(int(c) * w))) for c, w in zip(plain, [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1]))
    check = (total + (0 if sound else r.randrange(1, 10))) % 10
    text += str(check)
    return r.choice([text, grouped(text, [2, 6, 1, 3], " "), grouped(text, [2, 6, 1, 2, 1], " ")])


def health_insurance(r, sound=True) -> str:
    letter, body = r.choice(string.ascii_uppercase), digits(r, 8)
    plain = f"{ord(letter) - 64:02}" + body
    total = sum(sum(map(int, str(int(c) * w))) for c, w in zip(plain, [1, 2] * 5))
    return f"{letter}{body}{(total + (0 if sound else r.randrange(1, 10))) % 10}"


def document(r, first: str) -> str:
    body = r.choice(first) + "".join(r.choice("CFGHJKLMNPRTVWXYZ0123456789") for _ in range(2)) + digits(r, 3) + "".join(r.choice("CFGHJKLMNPRTVWXYZ0123456789") for _ in range(3))
    total = sum(int(c, 36) * w for c, w in zip(body, [7, 3, 1] * 3))
    return body + r.choice([str(total % 10), str(total % 10), ""])


def id_card(r) -> str:
    return document(r, "LMNPRTVWXYZ")


def passport(r) -> str:
    return document(r, "CFGHJK")


def vat_id(r, sound=True) -> str:
    body = r.choice("123456789") + digits(r, 7)
    check = (int(mod_11_10(body)) + (0 if sound else r.randrange(1, 10))) % 10
    german = f"{body}{check}"
    if not sound or r.random() < 0.75:
        return r.choice([f"DE{german}", f"DE {german}", "DE " + grouped(german, [3, 3, 3], " ")])
    austrian = digits(r, 7)
    total = 4 + sum(sum(map(int, str(int(c) * w))) for c, w in zip(austrian, [1, 2, 1, 2, 1, 2, 1]))
    return f"ATU{austrian}{(10 - total % 10) % 10}"


def luhn(body: str) -> str:
    total = sum(sum(map(int, str(int(c) * (2 if i % 2 == 0 else 1)))) for i, c in enumerate(reversed(body)))
    return str((10 - total % 10) % 10)


def card(r, sound=True) -> str:
    prefix, length = r.choice([("4", 16), ("4", 16), ("52", 16), ("55", 16), ("2345", 16), ("37", 15), ("67", 16)])
    body = prefix + digits(r, length - 1 - len(prefix))
    check = luhn(body) if sound else str((int(luhn(body)) + r.randrange(1, 10)) % 10)
    text = body + check
    if length == 15:
        return r.choice([text, grouped(text, [4, 6, 5], " ")])
    return r.choice([text, grouped(text, [4] * 4, " "), grouped(text, [4] * 4, "-"), grouped(text, [4] * 4, " ")])


def plate(r) -> str:
    district = r.choice(["B", "HH", "HB", "M", "K", "S", "F", "DD", "LÖ", "FÜ", "OL", "GT", "NOM", "OHZ", "SÜW", "WHV", "STD", "EMD", "KI", "TÜ", "AUR", "ROW", "MKK"])
    letters = "".join(r.choice("ABCDEFGHJKLMNPRSTUVWXYZ") for _ in range(r.choice([1, 2, 2])))
    number, tail = r.randrange(1, 10000), r.choice(["", "", "", "E", "H"])
    number = number if len(district) + len(letters) < 5 else number % 1000 + 1
    return r.choice(["{d}-{l} {n}{t}", "{d}-{l} {n}{t}", "{d} {l} {n}{t}", "{d}-{l}-{n}{t}", "{d}·{l}·{n}{t}", "{d}-{l}{n}{t}", "{d} {l}-{n}{t}", "{d}{l} {n}{t}"]).format(d=district, l=letters, n=number, t=tail)


def phone(r, language="de") -> str:
    if language == "en":
        return r.choice([f"+44 20 7946 0{digits(r, 3)}", f"020 7946 0{digits(r, 3)}", f"(0161) 496 0{digits(r, 3)}", f"+1 (555) 010-{digits(r, 4)}", f"+44 (0)113 496 0{digits(r, 3)}", f"07700 900{digits(r, 3)}"])
    area, number = r.choice(["421", "40", "30", "89", "221", "4921", "7621", "511"]), r.choice("123456789") + digits(r, 5)
    return r.choice([f"0{area} {number}", f"0{area}/{number}", f"(0{area}) {number[:3]} {number[3:]}", f"+49 {area} {number}", f"+49 (0){area} {number[:3]}-{number[3:]}", f"0{area} / {number[:2]} {number[2:4]} {number[4:]}",
                     f"0049 {area} {number}", f"0{area}-{number[:4]}-{number[4:]}", f"0171 {digits(r, 7)}", f"0152/{digits(r, 8)}", f"+49{area}{number}", f"0{area}.{number}"])


def ip(r) -> str:
    return r.choice([f"192.0.2.{r.randrange(1, 255)}", f"198.51.100.{r.randrange(1, 255)}", f"10.{r.randrange(16, 255)}.{r.randrange(255)}.{r.randrange(1, 255)}", f"172.16.{r.randrange(255)}.{r.randrange(1, 255)}",
                     f"2001:db8::{r.randrange(1, 65535):x}:{r.randrange(1, 65535):x}", f"2001:db8:{r.randrange(65535):x}:{r.randrange(65535):x}:{r.randrange(65535):x}:1:a:{r.randrange(1, 65535):x}"])


MONTHS = ["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"]
ENGLISH_MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]


def date(r, language="de", first=1945, last=2004) -> str:
    day, month, year = r.randrange(1, 29), r.randrange(1, 13), r.randrange(first, last)
    if language == "en":
        return r.choice([f"{day} {ENGLISH_MONTHS[month - 1]} {year}", f"{ENGLISH_MONTHS[month - 1]} {day}, {year}", f"{day:02}/{month:02}/{year}", f"{year}-{month:02}-{day:02}"])
    return r.choice([f"{day:02}.{month:02}.{year}", f"{day}.{month}.{year}", f"{day}. {MONTHS[month - 1]} {year}", f"{day:02}.{month:02}.{year % 100:02}", f"{year}-{month:02}-{day:02}"])


STREETS = ["Hauptstraße", "Lindenallee", "Bürgermeister-Smidt-Straße", "Am Wall", "Schlachte", "Berliner Straße", "Kirchweg", "An der Weide", "Goethestr.", "Marktplatz", "Unter den Eichen", "Hafenstrasse", "Alte Poststraße",
           "Zum Sebaldsbrücker Bahnhof", "Kurfürstendamm", "Rosengasse", "Am Alten Hafen", "Schillerring", "Osterdeich", "Von-der-Tann-Straße", "Straße des Friedens", "Im Winkel", "Neue Große Bergstraße", "Gartenweg", "Mühlenkamp", "Deichhorst"]
TOWNS = [("28195", "Bremen"), ("27568", "Bremerhaven"), ("20457", "Hamburg"), ("10117", "Berlin"), ("80331", "München"), ("60311", "Frankfurt am Main"), ("79098", "Freiburg im Breisgau"), ("26121", "Oldenburg"), ("49074", "Osnabrück"),
         ("04109", "Leipzig"), ("23552", "Lübeck"), ("61348", "Bad Homburg v. d. Höhe"), ("66482", "Zweibrücken"), ("27777", "Ganderkesee"), ("26919", "Brake"), ("88131", "Lindau"), ("15230", "Frankfurt (Oder)"), ("37520", "Osterode am Harz"), ("27374", "Visselhövede"), ("25826", "St. Peter-Ording")]


def address(r) -> str:
    number = r.choice([str(r.randrange(1, 200)), f"{r.randrange(1, 90)}{r.choice('abc')}", f"{r.randrange(1, 50)}-{r.randrange(51, 60)}", f"{r.randrange(1, 90)} {r.choice('ab')}"])
    code, town = r.choice(TOWNS)
    return f"{r.choice(STREETS)} {number}{r.choice([', ', ', ', chr(10), ' · ', ', D-', ' in '])}{code} {town}"


def english_address(r) -> str:
    street = r.choice(["High Street", "Station Road", "Church Lane", "Victoria Avenue", "King's Road", "Mill Close", "Park Terrace", "Harbour View Drive", "Oakfield Gardens"])
    where = r.choice(["London SW1A 2AA", "Leeds, LS1 4AB", "Little Marlow\nSL7 3RX", "Manchester M1 2WD", "Norwich\nNR2 4TE", "Springfield, IL 62704", "Portland, OR 97205", "Bristol BS1 5TR"])
    return f"{r.randrange(1, 300)}{r.choice(['', '', 'a', 'B'])} {street}{r.choice([', ', chr(10)])}{where}"


def token(r) -> str:
    letters = string.ascii_letters + string.digits
    word = lambda n: "".join(r.choice(letters) for _ in range(n - 4)) + "a1B2"
    return r.choice([lambda: "AKIA" + "".join(r.choice(string.ascii_uppercase + string.digits) for _ in range(14)) + "A7", lambda: "ghp_" + word(36), lambda: "glpat-" + word(20), lambda: "xoxb-" + digits(r, 11) + "-" + word(24),
                     lambda: "sk-proj-" + word(40), lambda: "AIza" + word(35), lambda: f"eyJ{word(30)}.eyJ{word(60)}.{word(40)}", lambda: "hf_" + word(34), lambda: "npm_" + word(36)])()


def password(r) -> str:
    return r.choice(["Sommer", "Hafen", "Leuchtturm", "Kranich", "blue-Whale", "Ankerplatz"]) + r.choice(["2024!", "#77", "_9x", "!?8", "42$", "-2025"])
