// SPDX-License-Identifier: Apache-2.0
#include "lexicon.hpp"

namespace hanse::privacy {

std::vector<LexiconEntry> lexicon() {
    return {
        {given_names(), Role::given},
        {"Herr Herrn Hr Hrn Frau Fr Fräulein Familie Fam Eheleute Mr Mrs Ms Miss Mx Sir Madam Lady Lord Mister Messrs Mme Monsieur Señor "
         "Signora Pfarrer Schwester Bruder Onkel Tante",
         Role::salutation},
        {"Dr Prof Professor Professorin Doktor Doctor Dipl Ing med phil jur nat rer pol habil hc PD Mag Magister Rechtsanwalt "
         "Rechtsanwältin RA RAin Notar Notarin Staatsanwältin Staatsanwalt Richter Richterin "
         "Bürgermeister Bürgermeisterin Oberbürgermeister Oberbürgermeisterin Minister Ministerin Senator Senatorin Direktor Direktorin "
         "Präsident Präsidentin Geschäftsführer Geschäftsführerin Vorstand Kapitän "
         "Oberarzt Oberärztin Chefarzt Chefärztin Hauptmann Kommissar Kommissarin Inspektor Rev Reverend Capt Captain Col Judge Justice "
         "Dean Councillor Cllr Freiherr Graf Gräfin Baron Baronin MdB Frhr BSc MSc MBA",
         Role::title},
        {"von vom van de der den zu zum zur del della di da dos du la le ten ter al el bin ibn af av y", Role::particle},
        {"Liebe Lieber Liebes Hallo Hi Hey Hello Dear Moin Servus Grüezi Ciao Geehrte Geehrter Werter Werte Morgen Tag Abend Nabend "
         "Verehrte Verehrter",
         Role::greeting},
        {"Grüßen Grüße Gruß Grüsse Grüssen Gruss Grüßle regards Regards sincerely Sincerely faithfully wishes Cheers cheers truly "
         "Hochachtungsvoll LG MfG VG BG gez Dank Thanks thanks",
         Role::closing},
        {"Name Vorname Nachname Familienname Ansprechpartner Ansprechpartnerin Ansprechperson Kontakt Kontaktperson Bearbeiter "
         "Bearbeiterin Sachbearbeiter Sachbearbeiterin Patient Patientin Mitarbeiter Mitarbeiterin "
         "Kunde Kundin Mandant Mandantin Empfänger Empfängerin Absender Absenderin Contact Attn Attention Employee Patient Client Customer "
         "Applicant Bewerber Bewerberin Versicherter Versicherte Kontoinhaber Kontoinhaberin "
         "Inhaber Inhaberin Fahrer Fahrerin Driver Holder Tenant Mieter Mieterin Reporter Assignee Melder Melderin Zeuge Zeugin "
         "Unterzeichner Hd Von An To From Fahrzeughalter Manager Vorgesetzte Vorgesetzter Teilnehmer Requester Techniker Technikerin "
         "Fahrzeugführer Witness Payee Beneficiary "
         "Insured Unterschrift",
         Role::label},
        {"Kollege Kollegin Kollegen Chef Chefin Abteilungsleiter Abteilungsleiterin Projektleiter Projektleiterin Teamleiter Teamleiterin "
         "colleague Assistentin Assistent Bereichsleiter Bereichsleiterin Gruppenleiter Gruppenleiterin Schichtleiter Schichtleiterin "
         "Referent Referentin Ausbilder Ausbilderin Betriebsrat Betriebsrätin Prokurist Prokuristin Disponent Disponentin Mitarbeiter "
         "Mitarbeiterin "
         "Vorgesetzter Vorgesetzte Amtsleiter Amtsleiterin Dozent Dozentin supervisor manager engineer Ehefrau Ehemann Sohn Tochter Vater "
         "Mutter Ehepaar Nachbar Nachbarin",
         Role::colleague},
        {"der die das den dem des ein eine einen einem einer eines kein keine keinen keinem keiner jeder jede jedes jeden dieser diese "
         "dieses diesen diesem unser unsere unseren unserem unserer mein meine meinen meinem meiner ihr ihre ihren ihrem "
         "ihrer sein seine seinen seinem seiner welcher welche the a an this that these those our my your his her their its im am beim vom "
         "ins ans als viele mehrere einige alle beide zwei drei vier fünf some every any each two three",
         Role::article},
        {"Damen Herren Kollegen Kolleginnen Kolleg Team Kunden Kundinnen Kunde Customer Sirs Sir Madam Alle Alles Zusammen Freunde Eltern "
         "Mitglieder Nachbarn Mitarbeiter Mitarbeiterinnen Mitarbeitende Leser Support Welt World All Everyone Folks There "
         "Gäste Partner Service Abteilung Personalabteilung Buchhaltung Vertrieb Einkauf Redaktion Hotline Montag Dienstag Mittwoch "
         "Donnerstag Freitag Samstag Sonnabend Sonntag Monday Tuesday Wednesday Thursday Friday Saturday Sunday "
         "Januar Februar März April Mai Juni Juli August September Oktober November Dezember January February March May June July October "
         "December Ich Wir Sie Er Es Ihr Ihre Ihren Ihrem Unser Unsere Mein Meine Das Der Die Den Dem Ein Eine "
         "The This That These Those Our Your My His Her Their We You They It If When Please Thank Thanks As In On At For With From And But "
         "Or So To Of By Is Are Was Were Has Have Will Would Could Should Can May Might Not No Yes "
         "Bitte Danke Vielen Dank Und Oder Aber Wenn Dann Hier Dort Heute Gestern Morgen Nun Jetzt Auch Noch Schon Nach Vor Bei Mit Für "
         "Von Zu Zum Zur Aus Auf An Am Im In Über Unter Wegen Durch Ohne Gegen Bis Seit Als Wie Was Wer Wo Wann Warum "
         "GmbH AG KG SE OHG UG GbR Ltd Inc LLC Corp PLC Co eV Verein Stiftung Gesellschaft Verlag Bank Universität Hochschule Institut Amt "
         "Gericht Schule Klinik Krankenhaus Hospital University College School Office Department Company "
         "Straße Strasse Platz Weg Allee Street Road Avenue Lane Tel Telefon Fax Mobil Email Mail Phone Adresse Address Datum Date Betreff "
         "Subject Re Fwd Nr Nummer No Number IBAN BIC USt St Id ID Steuernummer Rechnung Invoice Auftrag Order Ticket "
         "Euro EUR Deutschland Germany Berlin Hamburg München Bremen London Europa Europe English Deutsch Projekt Project Version Kapitel "
         "Chapter Abschnitt Section Seite Page Anlage Anhang Attachment Tabelle Table Punkt Frage Antwort "
         "Bescheid Urlaub Termin Vertrag Gehalt Kündigung Antrag Meeting Protokoll Unterlagen Rücksprache Vertretung Freundlichen "
         "Freundliche Beste Besten Viele Herzliche Herzlichen Sonnige Kind Best Yours Warm Many Sehr Geehrte Guten Good "
         "Morning Afternoon Evening Personalnummer Geburtsdatum Anschrift Kontonummer Kennzeichen Bewerber Bewerbung Team Lead Head Senior "
         "Junior Manager Engineer Consultant Leiter Leiterin Assistenz Sekretariat Zentrale Mitarbeit Beruf "
         "Christus Kirche Sankt Bridge Island Park Hall House Tower Church Station Airport Stadion Flughafen Bahnhof",
         Role::no_name},
        {"Koch Bauer Müller Fischer Richter König Klein Lang Lange Sommer Winter Berg Stein Wolf Vogel Fuchs Hahn Kaiser Jäger Weber "
         "Schneider Schäfer Becker Wagner Schmied Zimmermann Krüger Töpfer Maler Sänger Ritter Herzog Fürst Graf Bischof Papst Abt "
         "Groß Große Schwarz Weiß Braun Roth Rot Grün Blau Gelb Kurz Kurze Hoch Kraft Stark Reich Arm Jung Junge Alt Alte Neu Neumann Gut "
         "Guter Schön Schöne Frei Ernst Fromm Streng Lustig Sauer Süß Kalt Heiß Feucht Scharf Spitz Stumpf "
         "Baum Busch Wald Feld Bach Fluss See Brunnen Haus Hof Kirche Turm Brücke Mauer Tor Markt Stadt Dorf Land Wiese Acker Garten Rose "
         "Blume Kohl Kraut Korn Weizen Roggen Hafer Gerste Apfel Birne Kirsch Nuss Pfeffer Salz Zucker "
         "Hammer Nagel Beil Messer Löffel Kessel Topf Krug Becher Sack Beutel Schuh Mantel Rock Hut Kappe Horn Bart Kopf Haupt Fuß Hand "
         "Arm Zahn Nase Bein Herz Blut Adler Falk Falke Specht Sperling Spatz Storch Strauß Gans Ente Taube Rabe Star Fink "
         "Bär Hirsch Hase Igel Dachs Luchs Biber Otter Hecht Karpfen Krebs Käfer Fliege Sonntag Freitag Montag Mai März Abend Morgen Nacht "
         "Tag Engel Teufel Gott Heiland Pilger Bote Wächter Förster Gärtner Schreiber Schreiner Zimmerer Maurer Dreher Schlosser "
         "Schmidt Meister Geselle Lehrer Schüler Bürger Schulze Schulz Vogt Meier Hofmann Lehmann Pfister Metzger Fleischer Bäcker Brauer "
         "Winzer Küfer Böttcher Wirth Kellner Krämer Händler Kaufmann Zoll Zöllner Post Decker Segler Schiffer Fährmann Kranz Kreuz Stern "
         "Mond Sonne Himmel Nebel Regen Schnee Sturm Wind Donner Blitz Frost Eis Feuer Rauch Asche Staub Sand Kies Fels Stahl Eisen Gold "
         "Silber Kupfer Zinn Blei Glas Perle Diamant Ring Krone Schild Schwert Lanze Pfeil Bogen Ball Preis Glück Fried Friede Sieg Kunz "
         "Heil Buch "
         "Baker Cook Carpenter Miller Taylor Turner Walker Parker Porter Hunter Fisher Shepherd Gardener Gardner Mason Potter Smith Butler "
         "Carter Clerk Clark Dean Bishop Abbot Pope King Prince Duke Earl Knight Page Marshall Sheriff Ward Chambers Steward Stewart "
         "White Black Brown Green Grey Gray Young Old Long Short Strong Wise Sharp Bright Good Noble Rich Small Little Wood Woods Hill "
         "Field Fields Forest Lake Rivers Brooks Ford Bridges Church House Hall Stone Marsh Moore Heath West North East South Day "
         "May June Summer Winter Frost Snow Rain Storm Fox Wolf Lamb Bird Swan Drake Finch Peacock Bull Hart Rose Lily Daisy Ivy Violet "
         "Iris Hope Faith Grace Joy Mark Will Bill Rob Pat Drew Chase Grant Frank Art Rich Max Jack Dick Ray Guy Miles Sunny Dawn Eve "
         "Amber "
         "Ruby Pearl Jade Crystal Sandy Rusty Penny Patience Melody Harmony Summer April August Angel Carol Christian Norm Gene Don Ken "
         "Sue Rosa Linde Kai Eckart Wetter Pauli Baumann Christ Kern Kunde Bosch Bogen Back Jobs Case Cash Price Banks "
         "Law Best Bush Rush Burns Waters Banner Cooper",
         Role::common},
    };
}

}  // namespace hanse::privacy
