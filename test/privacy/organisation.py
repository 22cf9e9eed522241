# SPDX-License-Identifier: Apache-2.0
"""The house of the corpus: whom its directory knows, and persons whom it does not. All invented."""

# given, family, initials
PEOPLE = [("Katharina", "Müller-Lüdenscheidt", "KML"), ("Jürgen", "Groß", "JG"), ("Anna-Lena", "Brinkmann", "ALB"), ("Peter", "Koch", "PK"), ("Ines", "von der Heide", "IVH"), ("Mehmet", "Yıldırım", "MY"), ("Agnieszka", "Wiśniewska", "AWI"),
          ("Thorben", "Harms", "TH"), ("Søren", "Kjærgaard", "SK"), ("Friederike", "Öztürk-Bauer", "FÖB"), ("Wolfgang", "Schulze", "WS"), ("Marlies", "Tjarks", "MT"), ("Nguyen", "Thi Mai", "NTM"), ("Björn", "Weiß", "BW"), ("Chukwuemeka", "Okafor", "COK"),
          ("Renate", "Pfeiffer", "RP"), ("Hans-Dieter", "Jansen", "HDJ"), ("Léa", "Fournier", "LF"), ("Olga", "Kuznetsova", "OKU"), ("Carsten", "Lürssen", "CL"), ("Sabine", "Richter", "SR"), ("Gerrit", "de Vries", "GDV"), ("Petra", "Stahl", "PST"),
          ("Ulf", "Nordhausen", "UNO"), ("Siobhan", "O'Rourke", "SOR"), ("Emily", "Thornbury", "ET"), ("James", "Whitcombe", "JW"), ("Priya", "Raghunathan", "PRA"), ("Oluwaseun", "Adeyemi", "OA"), ("Daniel", "Ferreira dos Santos", "DFS")]
FIRMS = [("Nordische Ankerwerft GmbH & Co. KG", ["NAW"]), ("Weserlicht Optik AG", []), ("Hinrichs Schiffsschrauben GmbH", []), ("Deichgraf Energie eG", []), ("Kranich Logistik SE", ["KraLog"]), ("Salt & Tide Ltd", []), ("Brockhoff Präzision GmbH", []), ("Blue Heron Analytics Inc", [])]
PROJECTS = [("Seepferd", []), ("Nordstern", []), ("Bernstein 2", []), ("Halcyon", []), ("Tiefwasser", ["TW-Projekt"])]

# Not in the directory; first names of which some are in nobody's list.
STRANGERS = [("Bernd", "Kowalski"), ("Svenja", "Dreyer"), ("Ahmet", "Demirci"), ("Ludger", "Averdunk"), ("Thyra", "Petersen"), ("Xaver", "Huber"), ("Yannick", "Moreau"), ("Ottokar", "von Plessen"), ("Dunja", "Hadžić"), ("Elif", "Karaca"), ("Roswitha", "Niemeyer"),
             ("Zbigniew", "Nowak"), ("Heike", "Lindemann"), ("Kerstin", "Ahlers"), ("Folkmar", "Eilts"), ("Tomke", "Janssen"), ("Aurelie", "Dubois"), ("Pavlos", "Stavridis"), ("Grit", "Uhlig"), ("Wibke", "Cordes")]
ENGLISH_STRANGERS = [("Alice", "Penhaligon"), ("Tom", "Bradshaw"), ("Fiona", "MacAllister"), ("Rashid", "Choudhury"), ("Gwendolyn", "Pryce"), ("Oscar", "Lindqvist"), ("Kwame", "Mensah"), ("Beth", "Hargreaves"), ("Callum", "Drummond"), ("Imogen", "Fairweather")]


def directory_toml() -> str:
    out = ["# SPDX-License-Identifier: Apache-2.0", "# The directory of the corpus' house, as privacy::Directory reads it. Written by make_corpus.py.", ""]
    for given, family, initials in PEOPLE:
        out += ["[[people]]", f'name = "{given} {family}"', f'given = "{given}"', f'family = "{family}"', f'initials = "{initials}"', ""]
    for table, entries in (("organisations", FIRMS), ("projects", PROJECTS)):
        for name, aliases in entries:
            out += [f"[[{table}]]", f'name = "{name}"'] + ([f"aliases = {str(aliases).replace(chr(39), chr(34))}"] if aliases else []) + [""]
    return "\n".join(out)
