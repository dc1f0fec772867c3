"""Lines that pipelines carry, for the final figures only: nothing was chosen or mended by them.

``training.own_records`` explains the notation.
"""

from __future__ import annotations

HELD_OUT = {
    "address": [
        "Parcel 00340434292135100186 for {PERSON|Wolf-Dieter Größing}, {STREET_ADDRESS|Bahnhofstraße 44a, 72764 "
        "Reutlingen}, could not be delivered.",
        "The technician comes to {STREET_ADDRESS|Am Alten Markt 3, 18055 Rostock} between {?DATE_TIME|8 and 12}.",
        "Please change the delivery address to {STREET_ADDRESS|Prager Straße 10, 01069 Dresden, Germany}.",
        "{PERSON|Hannelore Pichler} has moved to {STREET_ADDRESS|Mariahilfer Straße 77/12, 1060 Wien}.",
        "Return it to {STREET_ADDRESS|Linzer Gasse 20, 5020 Salzburg, Austria}, please.",
        "{PERSON|Reto Zumstein}, {STREET_ADDRESS|Seestrasse 118, 8002 Zürich}, wants a refund.",
        "invoice to {STREET_ADDRESS|Chemin des Vignes 9, 1807 Blonay, Switzerland} as always",
        "Mon adresse: {STREET_ADDRESS|27 rue des Martyrs, 75009 Paris}. Please resend the parcel.",
        "Ship to {PERSON|Jean-Baptiste Lefèvre}, {STREET_ADDRESS|12 bis avenue Foch, 69006 Lyon, France}",
        "We installed the meter at {STREET_ADDRESS|4 impasse du Moulin, 35000 Rennes}.",
        "{PERSON|María José Cañizares} lives at {STREET_ADDRESS|Calle Mayor 15, 3º B, 28013 Madrid}.",
        "courier to {STREET_ADDRESS|Avenida de la Constitución 8, 41004 Sevilla, Spain} {?DATE_TIME|today}",
        "Deliver to {STREET_ADDRESS|Via Garibaldi 21, 40124 Bologna (BO)} before {?DATE_TIME|noon}.",
        "{PERSON|Giuseppe Dell'Acqua}, {STREET_ADDRESS|Corso Vittorio Emanuele 102, 80121 Napoli}, phone "
        "{PHONE_NUMBER|+39 081 549 2211}",
        "The bike is at {STREET_ADDRESS|Prinsengracht 263, 1016 GV Amsterdam}.",
        "Order for {PERSON|Marijke van der Velde}, {STREET_ADDRESS|Laan van Meerdervoort 50, 2517 AM Den Haag}.",
        "{PERSON|Grzegorz Wójcik}, {STREET_ADDRESS|ul. Długa 14/3, 31-147 Kraków}, asks for an invoice.",
        "send the papers to {STREET_ADDRESS|Aleje Jerozolimskie 65, 00-697 Warszawa, Poland}",
        "{STREET_ADDRESS|Storgatan 12, 411 24 Göteborg} is the new office address.",
        "Our man went to {STREET_ADDRESS|Vesterbrogade 31, 1620 København V} and nobody was in.",
        "Replacement sent to {STREET_ADDRESS|Karl Johans gate 22, 0159 Oslo}.",
        "{PERSON|Päivi Lehtonen}, {STREET_ADDRESS|Mannerheimintie 20 A 5, 00100 Helsinki}",
        "{PERSON|Rui Magalhães} from {STREET_ADDRESS|Rua Augusta 110, 1100-053 Lisboa} has not paid.",
        "Forward everything to {STREET_ADDRESS|Dlouhá 33, 110 00 Praha 1}.",
        "The alarm at {STREET_ADDRESS|77 Collins Street, Melbourne VIC 3000} went off twice.",
        "Ship 2 boxes to {PERSON|Ngozi Umeh}, {STREET_ADDRESS|1450 Lake Shore Drive, Apt 12B, Chicago, IL 60610}.",
        "Please collect from {STREET_ADDRESS|9 Mill Lane, Cambridge CB2 1RX} on {?DATE_TIME|Thursday}.",
        "flat at {STREET_ADDRESS|Kungsgatan 4B, 753 32 Uppsala}: water damage",
        "Customer moved from {STREET_ADDRESS|Goethestr. 5, 60313 Frankfurt am Main} to {STREET_ADDRESS|Rue de la Loi "
        "200, 1040 Bruxelles}.",
        "{PERSON|Zsófia Halász}, {STREET_ADDRESS|Váci utca 19, 1052 Budapest}, reported a fault.",
    ],
    "name": [
        "Ticket reopened by {PERSON|Anne-Sophie Béranger}.",
        "{PERSON|Łukasz Żurawski} confirmed the order by phone.",
        "Assigned to {PERSON|Mária Szűcs-Varga}, due {?DATE_TIME|Friday}.",
        "Caller: {PERSON|Ólafur Guðmundsson}. Topic: broken router.",
        "The account holder is {PERSON|Friedrich von Hohenfels}.",
        "Refund {PERSON|Şebnem Akgül} for two items.",
        "{PERSON|Nuala Ní Bhroin} could not log in since {?DATE_TIME|Monday}.",
        "Driver {PERSON|Dariusz Piątek} arrived at the depot.",
        "we spoke with {PERSON|Jörg Schäuble} about the lease",
        "{PERSON|Ana Lucía Ibáñez Ferrer} signed the contract, {PERSON|Tobias Krähenbühl} did not.",
        "cc {PERSON|Björk Þórsdóttir}, {PERSON|Håkon Sørlie}",
        "Patient {PERSON|Venkataraman Subramaniam} was moved to ward 7.",
        "chat with {PERSON|Xiaoming Liang} ended after {?DATE_TIME|14 minutes}",
        "{PERSON|Thị Hồng Phạm} and {PERSON|Mwajuma Kipchoge} share the account.",
    ],
    "form": [
        "DOB: {DATE_TIME|11/09/1979}, passport {*|K8245371}, nationality {NRP|Danish}",
        "Name: {PERSON|Ottoline Fairweather}\nDOB: {DATE_TIME|1990-02-28}\nPassport: {*|C01X00T47}",
        "First name: {PERSON|Ragnhild} Last name: {PERSON|Eikeland} Phone: {PHONE_NUMBER|+47 22 12 34 56}",
        "Full Name: {PERSON|Esmé Delacroix-Hall}; Email: {EMAIL_ADDRESS|esme.dh@example.net}; Postcode: "
        "{?*|BS1 4DJ}",
        "Surname: {PERSON|Wichmann}\nGiven names: {PERSON|Hedda Marie}\nSex: F\nHeight: 171 cm",
        "Patient: {PERSON|Gwendolyn Achebe} MRN: {?*|20938471} DOB: {DATE_TIME|07/21/1964} Allergies: none",
        "Guest: {PERSON|Matteo Brambilla}, room 412, arrival {?DATE_TIME|2024-06-01}, nights 3, rate 129.00",
        "Applicant {PERSON|Solveig Tveit}, SSN {US_SSN|536-90-4399}, income 54,000",
        "Employee ID: 77120\nEmployee: {PERSON|Cormac Gallagher}\nDepartment: Payroll\nManager: {PERSON|Ifeoma Eze}",
        "Sender: {PERSON|Hiroko Matsuda}\nReceiver: {PERSON|Benedikt Lohmann}\nWeight: 2.4 kg",
        "Insured: {PERSON|Clodagh Brennan} Policy no: PL-8841-0092 Start: {?DATE_TIME|01.04.2023}",
        "Emergency contact: {PERSON|Dagmar Reuter} (mother), {PHONE_NUMBER|+49 171 2345678}",
        "Passport No. {*|L8371920}, issued by {?*|Denmark}, expires {?DATE_TIME|2031-05-06}",
        "Bank: {?ORGANIZATION|Erste} Account holder: {PERSON|Leopold Hrdlicka} IBAN: {IBAN_CODE|AT61 1904 3002 3457 "
        "3201} BIC: GIBAATWW",
        "Vehicle: Skoda Octavia\nKeeper: {PERSON|Winifred Pocock}\nAddress: {STREET_ADDRESS|18 Orchard Way, Stroud "
        "GL5 1PZ}",
    ],
    "record": [
        'id,name,email,city\n1042,{PERSON|Aurélie Poncet},{EMAIL_ADDRESS|aurelie.p@example.fr},{?LOCATION|Nantes}',
        "88213;{PERSON|Wenzel Hofbauer};{STREET_ADDRESS|Hauptplatz 6};{?*|8010 Graz};{PHONE_NUMBER|+43 316 "
        "829400};active",
        '{"user": "{?*|hkoskela}", "name": "{PERSON|Heikki Koskela}", "ip": "{IP_ADDRESS|185.12.44.9}", "retries": 3}',
        "{?DATE_TIME|2024-03-18 09:14:55} INFO login ok user={EMAIL_ADDRESS|t.ozawa@example.jp} ip={IP_ADDRESS|"
        "203.0.113.77} took=122ms",
        "{?DATE_TIME|2024-03-18T09:15:02Z} WARN payment declined for {PERSON|Florbela Antunes} card={CREDIT_CARD|"
        "4242424242424242} code=51",
        "[{?DATE_TIME|18/Mar/2024:10:02:11 +0000}] {IP_ADDRESS|198.51.100.23} GET /orders/88213?page=2 200 5123",
        "customer_id=5521 first_name={PERSON|Ottavia} last_name={PERSON|Lombardelli} tier=gold",
        "| 14 | {PERSON|Casimir Dubiel} | {EMAIL_ADDRESS|c.dubiel@example.pl} | 3 open tickets |",
        'insert into customers values (311, \'{PERSON|Edda Jonsdottir}\', \'{EMAIL_ADDRESS|edda@example.is}\');',
        "from={EMAIL_ADDRESS|ops@example.com} to={EMAIL_ADDRESS|a.vandijk@example.nl} status=bounced attempts=4",
        "{PERSON|Kjersti Mo}\t{?DATE_TIME|1988-01-30}\t{PHONE_NUMBER|+47 901 23 456}\tpaid",
        "export DB_PASSWORD={SECRET|q8Zr2vLw9Tn4} && ./deploy.sh",
        "Authorization failed for key {SECRET|AKIAIOSFODNN7EXAMPLE} from {IP_ADDRESS|192.0.2.144}",
        "sshd[2211]: Accepted publickey for deploy from {IP_ADDRESS|10.20.30.40} port 51122",
        "name: {PERSON|Radoslav Hristov} | dob: {DATE_TIME|03.12.1971} | status: VERIFIED | score: 0.93",
    ],
    "ticket": [
        "Hi, my order 55821-B never came. {PERSON|Ingeborg Tvedt}, {PHONE_NUMBER|+47 934 56 789}",
        "Order #90412 was paid by {PERSON|Ulrich Mönkemeier} with card {CREDIT_CARD|5555 5555 5555 4444} exp "
        "{?DATE_TIME|09/26} cvv "
        "432.",
        "Agent {PERSON|Precila}: please confirm your e-mail.\nCustomer: {EMAIL_ADDRESS|bogdan.ilie@example.ro}",
        "hello this is {PERSON|Thandeka}, I was charged twice on invoice INV-2024-0093, 49.90 EUR each",
        "Please update my IBAN to {IBAN_CODE|NL91 ABNA 0417 1643 00}, regards {PERSON|Joost Hoekstra}",
        "My NHS number is {UK_NHS|943 476 5919} and my GP is Dr {PERSON|Pemberton}.",
        "Can you send the boots (size 43, SKU TR-889-X) to my sister {PERSON|Vigdís} instead?",
        "I live in {LOCATION|Tromsø} and the parcel was left in {LOCATION|Bergen}!",
        "My PESEL is {PL_PESEL|44051401359}; the form said it was invalid.",
        "{PERSON|Casper} from {ORGANIZATION|Nordlys Media AS} wants a quote for 40 seats",
        "I'm {PERSON|Soledad}, {?AGE|67}, and my hearing aid model HX-200 stopped working.",
        "Reset link sent to {EMAIL_ADDRESS|p_kowalczyk77@example.com}, expires in {?DATE_TIME|15 minutes}.",
        "the driver left it at number 12, I live at number 14, please call {PHONE_NUMBER|07700 900461}",
        "User {PERSON|Ewa Jabłońska} says that version 4.2.1 crashes on Android 14.",
        "Bonjour, je suis {PERSON|Maëlle Kerguelen}, my tracking number is 1Z999AA10123456784.",
    ],
    "signature": [
        "Best regards,\n{PERSON|Karl-Otto Weißhaupt}\nSales Manager\n{ORGANIZATION|Rheinwerk Pumpen GmbH}\n"
        "{STREET_ADDRESS|Industriestraße 7, 47051 Duisburg}\nTel. {PHONE_NUMBER|+49 203 4455660}",
        "Mit freundlichen Grüßen\n{PERSON|Annegret Süßmilch}\n{STREET_ADDRESS|Lange Gasse 2\n86152 Augsburg}",
        "Cordialement,\n{PERSON|Benoît Charpentier}\n{EMAIL_ADDRESS|b.charpentier@example.fr}\n{PHONE_NUMBER|+33 1 "
        "44 55 66 77}",
        "--\n{PERSON|Zofia Baran}\nAccounts Payable\n{ORGANIZATION|Baltica Freight Sp. z o.o.}\n"
        "{STREET_ADDRESS|ul. Portowa 8\n81-350 Gdynia}",
        "Saludos,\n{PERSON|Íñigo Etxeberria}\n{STREET_ADDRESS|Gran Vía 45\n48011 Bilbao}",
        "{PERSON|Tuomas Rantanen}\nHead of Support\nm: {PHONE_NUMBER|+358 40 123 4567}\n"
        "{URL|www.rantanen-oy.example.fi}",
        "Thanks\n{PERSON|Aoife}\n\nSent from my iPhone",
        "Frau {PERSON|Brigitte Oberländer}\n{STREET_ADDRESS|Kirchweg 19\n3400 Burgdorf\nSwitzerland}\n\nDear "
        "Ms {PERSON|Oberländer},\nyour contract ends soon.",
    ],
    "identifier": [
        "Her Steuer-ID is {DE_TAX_ID|36 574 261 809}.",
        "DNI {ES_NIF|54362315K}, titular {PERSON|Nuria Cebrián}",
        "codice fiscale {IT_FISCAL_CODE|RCCMNL83S18D969H} of {PERSON|Emanuele Ricciardi}",
        "BSN {NL_BSN|111222333} belongs to {PERSON|Sjoerd Wiersma}.",
        "CPF do cliente: {BR_CPF|390.533.447-05}",
        "Henkilötunnus {FI_PERSONAL_IDENTITY_CODE|131052-308T}, customer since {?DATE_TIME|2009}",
        "wire to {IBAN_CODE|FR14 2004 1010 0505 0001 3M02 606} {?DATE_TIME|tomorrow}",
        "her passport {*|PA0940443} and her visa are ready",
        "driver's license {*|D4829173} ({?LOCATION|CA}), expires {?DATE_TIME|08/2027}",
    ],
    "nothing": [
        "The total is 1,249.00 EUR for order 00482913, shipped in 2 parcels.",
        "Version 10.4.2 of the app needs 512 MB, build {?DATE_TIME|20240318}.",
        "SKU 44-1902-XL, colour navy, qty 12/24, price 18/piece",
        "error 0x80070057 at line 412, column 18",
        "exp {?DATE_TIME|04/29} is shown below the card number",
        "See section 4.3.1, page 128, about the refund policy.",
        "Flight LH 1234 leaves from gate B22, seat 14C.",
        "for (int i = 0; i < 10; i++) { total += prices[i] * 1.19; }",
        "commit 9fceb02d0ae598e95dc970b74767f19372d6 fixes the race in pool.close()",
        "Please reboot and hold F8 for {?DATE_TIME|5 seconds}; then choose safe mode.",
        "Tracking: RR123456785DE, weight 1.2 kg, dimensions 30x20x10 cm",
        "The report covers {?DATE_TIME|Q3} and compares it with the forecast.",
        "temp=21.5 hum=48 co2=612 batt=3.71V rssi=-87",
        "Discount code SUMMER25 gives 25 % off orders over 80.",
        "Queue depth 14021, lag {?DATE_TIME|39 s}, consumer group orders-v2, partition 11",
        "Meeting room 3.14 is on floor 3, next to the lift.",
        "Status: OPEN\nPriority: HIGH\nCategory: BILLING\nQueue: L2",
        "PO 4500017392 pos 10, 400 pcs, delivery {?DATE_TIME|week 22}",
    ],
}  # fmt: skip
"""Kind -> lines."""
