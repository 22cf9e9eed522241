// SPDX-License-Identifier: Apache-2.0
#include "nicknames.hpp"

#include <array>

namespace hanse::privacy {
namespace {

// First names with the same short forms, folded; then those. Only short forms that are hardly words themselves.
struct Row {
    std::string_view given;
    std::string_view nicknames;
};
constexpr std::array rows{
    Row{"alexander alexandra alexandre aleksander", "Alex Sascha Sasha Xandi Sandy Lexi"},
    Row{"andreas andrea andrew andre andrej", "Andi Andy Drew"},
    Row{"anna anne ann", "Anni Annie Änne Anny"},
    Row{"angelika angela", "Geli Angie"},
    Row{"anthony anton antonia antonio", "Toni Tony"},
    Row{"agnieszka", "Aga"},
    Row{"barbara", "Babs Bärbel Babsi Barb"},
    Row{"benjamin benedikt", "Ben Benni Benny Bene"},
    Row{"bernhard bernd", "Berni Bernie"},
    Row{"birgit brigitte birgitta", "Biggi Gitti Gitte"},
    Row{"carsten karsten", "Calle Kalle"},
    Row{"catherine kathryn katherine", "Kate Katie Kathy Cathy Kat Kitty"},
    Row{"charles charlotte", "Charlie Charly Lotte Lotti Chuck"},
    Row{"christian christoph christopher christina christine christiane kristin", "Chris Christel Chrissi Chrissy Tina Stine Kris Tine"},
    Row{"claudia klaus", "Claudi Klausi"},
    Row{"cornelia cornelius", "Conny Conni Nele Nelly"},
    Row{"daniel daniela danielle", "Dan Danny Dani Danni"},
    Row{"david", "Dave Davy"},
    Row{"deborah", "Debbie Deb"},
    Row{"dieter", "Didi"},
    Row{"dorothea dorothee dorothy", "Doro Dorle Dottie Thea"},
    Row{"edward eduard", "Ed Eddie Eddy Ted Teddy Ede"},
    Row{"elisabeth elizabeth elsbeth", "Lisa Elli Ellie Sissi Lisbeth Liz Lizzie Beth Betty Betsy Liesel Elsa Lilli Bess"},
    Row{"eleonore eleanor", "Elli Nora Lore Ellie Nell"},
    Row{"emily emilia emma", "Em Emmy Emmi Milly Mila Milli"},
    Row{"florian", "Flo Flori"},
    Row{"franziska franz francis frances francesca", "Franzi Franz Fran Fanny Frankie Sissy"},
    Row{"friederike friedrich frederick frederik", "Rike Fritzi Fritz Fred Freddy Freddie Frieda Friedel Ricky Rieke"},
    Row{"gabriele gabriela gabriel", "Gabi Gaby Gabe"},
    Row{"georg george", "Schorsch Jörg Georgie"},
    Row{"gerhard gerd gerrit", "Gerd Gerdi Hardy"},
    Row{"gertrud gertrude", "Trudi Trude Trudy Gerti"},
    Row{"gregor gregory", "Greg Gregi"},
    Row{"guenter guenther", "Günni"},
    Row{"hans johannes johann", "Hannes Hansi Hänschen Jo Johnny Jonny"},
    Row{"heinrich henry heinz henrik", "Heiner Hein Heini Harry Hank Hinnerk"},
    Row{"helene helena", "Leni Lene Nele Lena"},
    Row{"helmut hellmut", "Helle Helmi"},
    Row{"ines inez", "Ini"},
    Row{"isabel isabella isabelle", "Isa Bella Izzy Belle"},
    Row{"jacob jakob", "Jake Köbi Jacky"},
    Row{"james", "Jim Jimmy Jamie Jem"},
    Row{"jennifer", "Jenny Jenni Jen Jenn"},
    Row{"joachim", "Jochen Achim Jo Joa"},
    Row{"john jonathan", "Johnny Jack Jon Jonny"},
    Row{"josef joseph josephine", "Sepp Jupp Joe Joey Seppl Josie Peppi"},
    Row{"judith", "Judy Judi Jule"},
    Row{"juergen", "Jürg Jogi"},
    Row{"julia julian juliane", "Jule Juli Julchen Jules Jools"},
    Row{"karl carl karla carla", "Kalle Charly Carlo"},
    Row{"katharina katarina catharina kathrin katrin", "Kathi Kati Käthe Katrin Kathrin Katja Kathinka Kaddi Trine Tina Kat Käte"},
    Row{"kenneth", "Kenny"},
    Row{"konrad conrad", "Conny Kurt Conni Radi"},
    Row{"lawrence laurence lorenz", "Larry Laurie Lenz Lori"},
    Row{"leonhard leonard leon leonie", "Leo Len Lenny Hardi Lenni"},
    Row{"ludwig louis luise louise", "Lutz Lui Lou Luis Wiggerl Lulu"},
    Row{"lukas lucas", "Luki Luke Luca"},
    Row{"magdalena", "Lena Leni Magda Lene Madlen"},
    Row{"manfred", "Manni Manny Fredi"},
    Row{"manuel manuela emanuel", "Manu Manni Manolo"},
    Row{"margarete margaret margarethe margarita", "Grete Gretel Gretchen Gitta Greta Maggie Meg Peggy Margit Rita Marga Madge"},
    Row{"maria marie mary", "Mia Mitzi Mizzi Mimi Molly Polly Ria Mariechen"},
    Row{"marlies marlene marlis", "Marli Lies Leni Lissi"},
    Row{"markus marcus marc", "Marki Maggus"},
    Row{"martin martina", "Marti Marty Tina Tini"},
    Row{"matthew", "Matt Matty"},
    Row{"matthias mathias", "Matze Hias Matz Mathes Matthes Matti"},
    Row{"maximilian maximiliane maxim", "Max Maxi Maxl"},
    Row{"mehmet", "Memo Mehmed"},
    Row{"melanie", "Mel Melli Melly"},
    Row{"michael michaela michel michelle mikael", "Michi Michel Mike Mick Micha Michl Mickey Shelly Ela"},
    Row{"monika monica", "Moni Mona"},
    Row{"nathan nathaniel", "Nat Nate"},
    Row{"nicholas nikolaus nicolas nikolas nicole nicola", "Nick Nico Niko Klaus Nicky Nik Niklas Nikki Nicki"},
    Row{"oliver olivia", "Oli Olli Ollie Livi Liv"},
    Row{"oluwaseun", "Seun"},
    Row{"chukwuemeka", "Emeka"},
    Row{"pamela", "Pam Pammy"},
    Row{"patricia patrick", "Pat Patty Trish Tricia Paddy Patti"},
    Row{"paul paula pauline", "Pauli Paulchen Polly Paulinchen"},
    Row{"peter petra", "Pit Pete Pedder Peti Piet Peterle"},
    Row{"philipp phillip philip philippa", "Phil Pippa Flip Lippi"},
    Row{"rainer reiner", "Reini"},
    Row{"raphael rafael", "Rafi Raffi Raf"},
    Row{"rebecca rebekka", "Becky Becca Bekki Becci"},
    Row{"regina regine", "Gina Reggie Gine"},
    Row{"renate renata", "Reni Nate Nati Renchen"},
    Row{"richard", "Rick Ricky Dick Richie Ritschi Rich"},
    Row{"robert roberta", "Rob Bob Robbie Bobby Robin Bert Bobbie"},
    Row{"roland", "Rolli Rolly"},
    Row{"ronald", "Ron Ronnie Ronny"},
    Row{"rosemarie rosemary", "Rosi Rosie Romy"},
    Row{"rudolf rudolph", "Rudi Rolf Rudy"},
    Row{"sabine sabina", "Bine Biene Sabi Bini"},
    Row{"samuel samantha", "Sam Sammy Sami"},
    Row{"sandra", "Sandy Sandi"},
    Row{"sebastian", "Basti Wastl Seb Baschti Bastian"},
    Row{"siegfried", "Sigi Siggi"},
    Row{"siobhan", "Shiv Vonnie"},
    Row{"sofie sophia sophie sofia", "Soffi Sophy Fia"},
    Row{"stefan stephan steffen stefanie stephanie stephen steven", "Steffi Steff Steph Steve Stevie Stef Fanny"},
    Row{"susanne susanna susan suzanne", "Susi Sue Susie Sanne Suse Suzie Sanna"},
    Row{"tatjana tatiana", "Tanja Tati"},
    Row{"theodor theodore theodora", "Theo Ted Teddy Thea Dora"},
    Row{"theresa therese teresa", "Resi Tess Terry Tessa Terri Resl"},
    Row{"thomas thomasina", "Tom Tommy Thommy Tomi Thomi"},
    Row{"timothy timotheus", "Tim Timmy Timo"},
    Row{"tobias", "Tobi Toby"},
    Row{"ulrich ulrike", "Uli Ulli Ulla Rike Ricke Ule"},
    Row{"ursula", "Uschi Ulla Ursel Urschel"},
    Row{"valentin valentina valerie", "Vali Val Tina Valli"},
    Row{"veronika veronica", "Vroni Vero Ronja Nika Roni"},
    Row{"victoria viktoria viktor victor", "Vicky Vicki Viki Vic Tori Tory Vik"},
    Row{"walter walther", "Walt Wally Walli"},
    Row{"werner", "Werni"},
    Row{"wilhelm wilhelmine william", "Willi Willy Will Bill Billy Helmi Minna Mina Minchen Wim"},
    Row{"wolfgang wolfram", "Wolle Wolfi Wolf Gangerl"},
    Row{"zacharias zachary", "Zach Zack"}};

template <typename Visit>
void each_word(std::string_view words, Visit visit) {
    while (!words.empty()) {
        const auto end = words.find(' ');
        visit(words.substr(0, end));
        words.remove_prefix(end == std::string_view::npos ? words.size() : end + 1);
    }
}

}  // namespace

std::vector<std::string_view> nicknames_of(std::string_view given) {
    std::vector<std::string_view> all;
    for (const Row& row : rows) {
        bool of_row = false;
        each_word(row.given, [&](std::string_view word) { of_row |= word == given; });
        if (of_row) each_word(row.nicknames, [&](std::string_view word) { all.push_back(word); });
    }
    return all;
}

}  // namespace hanse::privacy
