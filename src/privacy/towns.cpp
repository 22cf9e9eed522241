// SPDX-License-Identifier: Apache-2.0
#include "towns.hpp"

#include <algorithm>
#include <vector>

namespace hanse::privacy {
namespace {

// First word of the name, then what its postcodes begin with; "-" for towns abroad. Towns above about 50,000 people, and seats
// of authorities and courts.
constexpr std::string_view list =
    "Aachen:52 Aalen:73 Ahaus:48 Ahlen:59 Albstadt:72 Altena:58 Altenburg:04 Altona:22 Amberg:92 Andernach:56 Annaberg:09 Ansbach:91 "
    "Apolda:99 Arnsberg:59 Arnstadt:99 Aschaffenburg:63 Aue:08 Augsburg:86 Aurich:26 "
    "Backnang:71 Balingen:72 Bamberg:96 Bautzen:02 Bayreuth:95 Beckum:59 Bensheim:64 Berchtesgaden:83 Bergheim:50 Bergisch:51 Bergkamen:59 "
    "Berlin:1 Bernau:16 Bernburg:06 Biberach:88 Bielefeld:33 Bingen:55 Bitburg:54 Bitterfeld:06 Blankenese:22 Bocholt:46 Bochum:44 Bonn:53 "
    "Borken:46 Bottrop:46 Brandenburg:14 Braunschweig:38 Bremen:28 Bremerhaven:27 Brilon:59 Bruchsal:76 Buchholz:21 Buxtehude:21 "
    "Böblingen:71 Brühl:50 Bünde:32 "
    "Calw:75 Castrop-Rauxel:44 Celle:29 Chemnitz:09 Cloppenburg:49 Coburg:96 Coesfeld:48 Cottbus:03 Crailsheim:74 Cuxhaven:27 Dachau:85 "
    "Darmstadt:64 Datteln:45 Deggendorf:94 Delitzsch:04 Delmenhorst:27 Dessau:06 Dessau-Roßlau:06 Detmold:32 Dillenburg:35 Dinslaken:46 "
    "Dormagen:41 Dorsten:46 Dortmund:44 Dresden:01 Duisburg:47 Döbeln:04 Dülmen:48 Düren:52 Düsseldorf:40 "
    "Eberswalde:16 Eckernförde:24 Ehingen:89 Eichstätt:85 Eilenburg:04 Eisenach:99 Eisenhüttenstadt:15 Elmshorn:25 Emden:26 Emsdetten:48 "
    "Erding:85 Erfurt:99 Erkelenz:41 Erkrath:40 Erlangen:91 Eschborn:65 Eschweiler:52 Essen:45 Esslingen:73 Ettlingen:76 Euskirchen:53 "
    "Eutin:23 Fellbach:70 Filderstadt:70 Flensburg:24 Forchheim:91 Frankenthal:67 Frankfurt:60,65,15 Frechen:50 Freiberg:09 Freiburg:79 "
    "Freising:85 Freital:01 Freudenstadt:72 Friedberg:61,86 Friedrichshafen:88 Fulda:36 Fürstenfeldbruck:82 Fürstenwalde:15 Fürth:90 "
    "Füssen:87 "
    "Garbsen:30 Garching:85 Garmisch-Partenkirchen:82 Geesthacht:21 Geislingen:73 Gelsenkirchen:45 Gera:07 Germering:82 Gießen:35 "
    "Gifhorn:38 Gladbeck:45 Goch:47 Goslar:38 Gotha:99 Greifswald:17 Greiz:07 Grevenbroich:41 Gronau:48 Gummersbach:51 Göppingen:73 "
    "Görlitz:02 Göttingen:37 Güstrow:18 Gütersloh:33 Haar:85 Hagen:58 Halberstadt:38 Halle:06,33 Haltern:45 Hamburg:20,21,22 Hameln:31 "
    "Hamm:59 Hanau:63 Hannover:30 Harburg:21 Hattingen:45 Heide:25 Heidelberg:69 Heidenheim:89 Heilbronn:74 Helmstedt:38 Hennef:53 "
    "Heppenheim:64 Herford:32 Herne:44 Herrenberg:71 Herten:45 Herzogenaurach:91 Hilden:40 Hildesheim:31 Hof:95 Homburg:66 Husum:25 "
    "Höxter:37 Hürth:50 "
    "Ibbenbüren:49 Idar-Oberstein:55 Ilmenau:98 Ingelheim:55 Ingolstadt:85 Iserlohn:58 Itzehoe:25 Jena:07 Kaarst:41 Kaiserslautern:67 "
    "Kamen:59 Kamenz:01 Karlsruhe:76 Kassel:34 Kaufbeuren:87 Kehl:77 Kempen:47 Kempten:87 Kerpen:50 Kiel:24 Kleve:47 Koblenz:56 "
    "Konstanz:78 Korbach:34 Kornwestheim:70 Krefeld:47 Kreuztal:57 Kulmbach:95 Köln:50,51 Königswinter:53 Köthen:06 Laatzen:30 Lahr:77 "
    "Landau:76 Landsberg:86 Landshut:84 Langen:63 Langenfeld:40 Langenhagen:30 Lauf:91 Leer:26 Lehrte:31 Leinfelden-Echterdingen:70 "
    "Leipzig:04 Lemgo:32 Leonberg:71 Leverkusen:51 Lichtenfels:96 Limburg:65 Lindau:88 Lingen:49 Lippstadt:59 Lohmar:53 Ludwigsburg:71 "
    "Ludwigshafen:67 Löhne:32 Lörrach:79 Lübbecke:32 Lübeck:23 Lüdenscheid:58 Lüneburg:21 Lünen:44 "
    "Magdeburg:39 Maintal:63 Mainz:55 Mannheim:68 Marburg:35 Marl:45 Meerbusch:40 Meiningen:98 Meißen:01 Melle:49 Memmingen:87 Menden:58 "
    "Meppen:49 Merseburg:06 Merzig:66 Meschede:59 Metzingen:72 Minden:32 Moers:47 Monheim:40 Montabaur:56 Mosbach:74 Mönchengladbach:41 "
    "Mühlhausen:99 Mülheim:45 München:80,81 Münster:48 Naumburg:06 Neckarsulm:74 Nettetal:41 Neubrandenburg:17 Neuburg:86 "
    "Neukirchen-Vluyn:47 Neumarkt:92 Neumünster:24 Neunkirchen:66 Neuruppin:16 Neuss:41 Neustadt:67,31,23 Neuwied:56 Nienburg:31 "
    "Nordenham:26 Norderstedt:22 Nordhausen:99 Nordhorn:48 Northeim:37 Nürnberg:90 Nürtingen:72 Oberhausen:46 Oberursel:61 "
    "Oer-Erkenschwick:45 Offenbach:63 Offenburg:77 Oldenburg:26 Olpe:57 Oranienburg:16 Oschatz:04 Osnabrück:49 Osterode:37 Ostfildern:73 "
    "Paderborn:33 Papenburg:26 Passau:94 Peine:31 Pforzheim:75 Pfungstadt:64 Pinneberg:25 Pirmasens:66 Pirna:01 Plauen:08 Porta:32 "
    "Potsdam:14 Prenzlau:17 Pulheim:50 "
    "Quedlinburg:06 Quickborn:25 Radebeul:01 Radevormwald:42 Radolfzell:78 Rastatt:76 Rathenow:14 Ratingen:40 Ravensburg:88 "
    "Recklinghausen:45 Regensburg:93 Remagen:53 Remscheid:42 Rendsburg:24 Reutlingen:72 Rheine:48 Rheinfelden:79 Riesa:01 Rinteln:31 "
    "Rodgau:63 Rosenheim:83 Rostock:18 Rottenburg:72 Rottweil:78 Rudolstadt:07 Rüsselsheim:65 Saalfeld:07 Saarbrücken:66 Saarlouis:66 "
    "Salzgitter:38 Salzwedel:29 Sangerhausen:06 Schleswig:24 Schorndorf:73 Schwabach:91 Schwalmstadt:34 Schwedt:16 Schweinfurt:97 "
    "Schwelm:58 Schwerin:19 Schwerte:58 Schwetzingen:68 Seelze:30 Selm:59 Senftenberg:01 Siegburg:53 Siegen:57 Sigmaringen:72 "
    "Sindelfingen:71 Singen:78 Sinsheim:74 Soest:59 Solingen:42 Soltau:29 Sondershausen:99 Sonneberg:96 Speyer:67 Stade:21 Starnberg:82 "
    "Stendal:39 Stolberg:52 Stralsund:18 Straubing:94 Strausberg:15 Stuttgart:70 Suhl:98 Templin:17 Torgau:04 Traunstein:83 "
    "Treuchtlingen:91 Trier:54 Troisdorf:53 Tuttlingen:78 Tübingen:72 Uelzen:29 Ulm:89 Unna:59 Unterschleißheim:85 Varel:26 Vechta:49 "
    "Velbert:42 Verden:27 Viersen:41 Villingen-Schwenningen:78 Voerde:46 Völklingen:66 Waiblingen:71 Waldshut-Tiengen:79 Waltrop:45 "
    "Wangen:88 Wedel:22 Weiden:92 Weilheim:82 Weimar:99 Weingarten:88 Weinheim:69 Weinstadt:71 Weißenfels:06 Wermelskirchen:42 Werne:59 "
    "Wernigerode:38 Wesel:46 Wesseling:50 Wetzlar:35 Wiehl:51 Wiesbaden:65 Wiesloch:69 Wilhelmshaven:26 Willich:47 Winnenden:71 Winsen:21 "
    "Wismar:23 Witten:58 Wittenberg:06 Wittenberge:19 Wolfenbüttel:38 Wolfsburg:38 Worms:67 Wunstorf:31 Wuppertal:42 Wülfrath:42 "
    "Würselen:52 Würzburg:97 Zeitz:06 Zittau:02 Zweibrücken:66 Zwickau:08 "
    "Homburg:61,66 Kreuznach:55 Salzuflen:32 Hersfeld:36 Oeynhausen:32 Nauheim:61 Vilbel:61 Mergentheim:97 Kissingen:97 Tölz:83 Aibling:83 "
    "Segeberg:23 Oldesloe:23 Neuenahr-Ahrweiler:53 Zwischenahn:26 Honnef:53 Reichenhall:83 Saulgau:88 Säckingen:79 Harzburg:38 "
    "Wien:- Graz:- Linz:- Salzburg:- Innsbruck:- Klagenfurt:- Zürich:- Basel:- Bern:- Genf:- Luzern:- Winterthur:- London:- Manchester:- "
    "Birmingham:- Leeds:- Glasgow:- Edinburgh:- Liverpool:- Bristol:- Cardiff:- Oxford:- Cambridge:- Sheffield:- Dublin:- York:- "
    "Nottingham:- Southampton:- Brighton:- Norwich:- Bath:- Exeter:- Boston:- Chicago:- Seattle:- Portland:- Denver:- Austin:- "
    "Springfield:- Hull:- Newcastle:- Leicester:- Coventry:- Belfast:- Aberdeen:- Dundee:- Swansea:- Reading:- Amsterdam:- Paris:- "
    "Brüssel:- Brussels:- Kopenhagen:- Copenhagen:- Warschau:- Prag:- ";

struct Town {
    std::string_view name;
    std::string_view codes;
};

std::vector<Town> sorted() {
    std::vector<Town> towns;
    for (std::string_view rest = list; !rest.empty();) {
        const auto end = rest.find(' '), colon = rest.find(':');
        towns.push_back({rest.substr(0, colon), rest.substr(colon + 1, end - colon - 1)});
        rest.remove_prefix(end + 1);
    }
    std::ranges::stable_sort(towns, {}, &Town::name);
    return towns;
}

bool has_code(std::string_view codes, std::string_view postcode) {
    while (!codes.empty()) {
        const auto comma = codes.find(',');
        if (postcode.starts_with(codes.substr(0, comma))) return true;
        if (comma == std::string_view::npos) return false;
        codes.remove_prefix(comma + 1);
    }
    return false;
}

}  // namespace

bool is_town(std::string_view word, std::string_view postcode) {
    static const std::vector<Town> towns = sorted();
    for (const Town& town : std::ranges::equal_range(towns, word, {}, &Town::name))
        if (postcode.empty() || has_code(town.codes, postcode)) return true;
    return false;
}

bool is_postcode(std::string_view digits) {
    if (digits.size() != 5 || !std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; })) return false;
    const std::string_view area = digits.substr(0, 2);
    return area != "00" && area != "05" && area != "11" && area != "43" && area != "62" && digits.substr(2) != "000";
}

}  // namespace hanse::privacy
