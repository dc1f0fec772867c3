"""Lines that pipelines carry, with the personal data in them: tickets, orders, logs, tables, forms, signatures.

Written for this project and never trained on. Recipes and rules may be chosen by ``DEV``; ``HELD_OUT`` is for the
figures alone. In a line, ``{PERSON|Ann Poe}`` must be found with this label, ``{*|K12}`` with any;
``{?DATE_TIME|noon}`` and ``{?*|K12}`` may be found or not. So may titles; nothing else may be found.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from training.measures.metrics import Span
from training.own_records_held_out import HELD_OUT

ANY = "*"
"""Stands for every label."""
_MARK = re.compile(r"\{(\??)([A-Z_]+|\*)\|([^{}]*)\}")


class Record(NamedTuple):
    """A text, the spans that must be found in it, and those that may be found."""

    kind: str
    text: str
    required: tuple[Span, ...]
    optional: tuple[Span, ...]


DEV = {
    "address": [
        "Order #48213 shipped to {PERSON|Karl-Heinz Müller}, {STREET_ADDRESS|Hauptstraße 12, 10115 Berlin}. IBAN "
        "{IBAN_CODE|DE89 3704 0044 0532 0130 00}",
        "Please deliver to {STREET_ADDRESS|Schillerstraße 9b, 99423 Weimar} after {?DATE_TIME|5 pm}.",
        "{PERSON|Heike Brüggemann}, {STREET_ADDRESS|Zum Wasserturm 2, 23552 Lübeck}, cancelled order 7781.",
        "the meter in {STREET_ADDRESS|Neue Gasse 31, 07743 Jena} could not be read",
        "Pickup at {STREET_ADDRESS|Getreidegasse 15, 5020 Salzburg}, drop-off at {STREET_ADDRESS|Ringstr. 4, 4600 "
        "Wels}.",
        "{PERSON|Urs Aebischer} of {STREET_ADDRESS|Bernstrasse 40, 3072 Ostermundigen} ordered two filters.",
        "Invoice address: {STREET_ADDRESS|Rue du Rhône 62, 1204 Genève}",
        "We visited the shop at {STREET_ADDRESS|8 rue Sainte-Catherine, 33000 Bordeaux} twice.",
        "{PERSON|Élodie Marchand}, {STREET_ADDRESS|118 boulevard Voltaire, 75011 Paris, France}, paid by cheque.",
        "Ship to {STREET_ADDRESS|Carrer de Balmes 200, 2º 1ª, 08006 Barcelona}.",
        "{PERSON|Íker Zubizarreta} moved to {STREET_ADDRESS|Calle de Alcalá 48, 28014 Madrid, Spain} in "
        "{?DATE_TIME|spring}.",
        "Send it to {PERSON|Chiara Benedetti}, {STREET_ADDRESS|Via Appia Nuova 310, 00183 Roma}.",
        "The flat is in {STREET_ADDRESS|Piazza San Marco 5, 30124 Venezia (VE), Italy}",
        "{PERSON|Femke Dijkstra}, {STREET_ADDRESS|Oudegracht 112, 3511 AX Utrecht}, wants to return the lamp.",
        "ship the cable to {STREET_ADDRESS|Kalverstraat 9, 1012 NX Amsterdam, The Netherlands} please",
        "Adres: {STREET_ADDRESS|ul. Piotrkowska 104/7, 90-926 Łódź}. Phone {PHONE_NUMBER|+48 601 234 567}.",
        "{PERSON|Jagoda Nowakowska} asked to send it to {STREET_ADDRESS|ul. Świętojańska 12, 81-368 Gdynia}.",
        "{STREET_ADDRESS|Drottninggatan 71, 111 36 Stockholm} was not reachable.",
        "Return address: {STREET_ADDRESS|Nørrebrogade 44, 2200 København N, Denmark}",
        "{PERSON|Sigrid Aasen}, {STREET_ADDRESS|Torggata 5, 0181 Oslo}, got the wrong size.",
        "Asiakas {PERSON|Antti Korhonen}, {STREET_ADDRESS|Aleksanterinkatu 15 B 22, 33100 Tampere}",
        "{STREET_ADDRESS|Avenida da Liberdade 245, 1250-143 Lisboa}: lift out of order",
        "Fitter booked for {STREET_ADDRESS|Vinohradská 12, 120 00 Praha 2}.",
        "{PERSON|Ferenc Bodnár}, {STREET_ADDRESS|Kossuth Lajos utca 8, 6720 Szeged}",
        "Deliver to {STREET_ADDRESS|221B Baker Street, London NW1 6XE} {?DATE_TIME|today}.",
        "{PERSON|Dorothea Quigley}, {STREET_ADDRESS|3085 Maple Avenue, Suite 400, Portland, OR 97205}",
        "My address changed: {STREET_ADDRESS|14 Wattle Street, Fremantle WA 6160}.",
        "{STREET_ADDRESS|27 Grafton Street, Dublin 2, D02 X285} is closed.",
        "Bring it to {STREET_ADDRESS|Bulevardi 3}, the bell says {PERSON|Virtanen}.",
        "Two parcels, one for {STREET_ADDRESS|Lindenweg 8, 50667 Köln}, one for {STREET_ADDRESS|Via Roma 2, 10121 "
        "Torino}.",
        "Customer says that {STREET_ADDRESS|Rosenheimer Platz 6, 81669 München} is a new building.",
    ],
    "name": [
        "Case closed by {PERSON|Jean-Luc Théberge}.",
        "{PERSON|Günther Hölzl} returned the scooter.",
        "{PERSON|Małgorzata Dąbrowska-Lis} is waiting for a call.",
        "The file went to {PERSON|Þorvaldur Einarsson} last.",
        "The policy of {PERSON|Ludwig van der Meulen} has lapsed.",
        "Please ask {PERSON|Çağla Erdoğmuş} to sign.",
        "{PERSON|Caoimhe O'Shaughnessy} and {PERSON|Pádraig Mac Giolla} want separate bills.",
        "Interpreter for {PERSON|Nguyễn Văn Đức} needed",
        "{PERSON|Søren Kjærgaard} sent three photos of the damage.",
        "agent {PERSON|Rosalía} transferred the chat to {PERSON|Dimitrios Karagiannis}",
        "Beneficiary {PERSON|Hans-Jürgen Großkopf}, amount 1,200.00 EUR",
        "{PERSON|Oyinkansola Bankole}'s card was blocked.",
        "Contract signed by {PERSON|K. Wiśniewska} for the tenant",
        "Our courier {PERSON|Zoltán} spoke with Frau {PERSON|Schütz}.",
        "{PERSON|Ruairí} said that {PERSON|Inês Vasconcelos} has the key.",
    ],
    "form": [
        "DOB: {DATE_TIME|03/14/1987}, passport {*|X1234567}, MRN {?*|00482913}",
        "Name: {PERSON|Tiberius Vance}\nDOB: {DATE_TIME|1975-12-01}\nMRN: {?*|55120983}",
        "First name: {PERSON|Annelie} Last name: {PERSON|Sundqvist} E-mail: {EMAIL_ADDRESS|annelie.s@example.se}",
        "Patient name: {PERSON|Marguerite Okoye}, DOB {DATE_TIME|05/30/1958}, Sex: F, Weight: 61 kg",
        "Passport: {*|C4VPY62M0}, Nationality: {NRP|German}, Surname: {PERSON|Ritterbusch}",
        "Passport number {*|533380006}, issued {?DATE_TIME|12 May 2019}",
        "Claimant: {PERSON|Fergus Abernathy}\nClaim no: CL-2024-8812\nPolice report: 44/2024",
        "Full name: {PERSON|Lidia Castellanos}; Address: {STREET_ADDRESS|Calle Luna 3, 29008 Málaga}; Tel: "
        "{PHONE_NUMBER|+34 952 21 43 65}",
        "SSN: {US_SSN|536-90-4399} Name: {PERSON|Rosalind Okpara} Wage: 31.50",
        "Guest name: {PERSON|Thibault Girard}\nRoom: 1107\nCheck-in: {?DATE_TIME|02/07/2024}\nGuests: 2",
        "Reporter: {PERSON|Alasdair Munro}\nAssignee: {PERSON|Priyanka Deshmukh}\nComponent: Checkout\nPriority: P2",
        "Member ID: 8821-004 Name: {PERSON|Cosima Albrecht} Plan: Family",
        "Account holder: {PERSON|Wilhelmina Pronk}\nIBAN: {IBAN_CODE|NL91ABNA0417164300}\nAmount: 89.95",
        "Driver licence: {*|H12234567} State: {?LOCATION|CA} Name: {PERSON|Delphine Archer}",
        "Next of kin: {PERSON|Bartholomew Finch} (brother) Tel: {PHONE_NUMBER|020 7946 0321}",
    ],
    "record": [
        "{?DATE_TIME|2024-05-02 11:20:31} INFO user {EMAIL_ADDRESS|lotte.v@example.nl} logged in from {IP_ADDRESS|"
        "203.0.113.9}",
        "Server {IP_ADDRESS|10.0.0.12} refused token {SECRET|ghp_abcdEFGH1234abcdEFGH1234abcdEFGH1234} for "
        "{EMAIL_ADDRESS|ci@example.org}",
        "7741,{PERSON|Annika Bergström},{EMAIL_ADDRESS|annika.b@example.se},{?LOCATION|Malmö},{?DATE_TIME|2024-01-09}",
        '{"id": 993, "customer": "{PERSON|Paweł Zieliński}", "email": "{EMAIL_ADDRESS|pz@example.pl}", "total": 54.20}',
        "name;street;zip;town\n{PERSON|Gerlinde Maurer};{STREET_ADDRESS|Feldweg 3};{?*|88400};{?LOCATION|Biberach}",
        "level=error msg=\"card declined\" card={CREDIT_CARD|4111111111111111} user={PERSON|Quentin Duval}",
        "{?DATE_TIME|May 12 08:01:44} web1 nginx: {IP_ADDRESS|192.0.2.33} - - \"POST /login HTTP/1.1\" 401 712",
        "INFO  order-service  - order 120-8831 packed, 3 items, 2.1 kg",
        "password={SECRET|hT7mQ2xWz9Kp} user=svc_orders host=db-3",
        "{PERSON|Bronisława Kot}|{DATE_TIME|1969-04-17}|{PL_PESEL|44051401359}|active",
        "UPDATE users SET name='{PERSON|Tamsin Hargreaves}' WHERE id=40021;",
        "msg from {PERSON|Giorgos}: invoice 2211 paid, ref 88-10234",
        "employee,{PERSON|Leontyne Mbatha},{PHONE_NUMBER|+27 21 555 0143},{?LOCATION|Durban}",
        "GET /users/40021/orders?limit=20&sort=desc 200 34ms",
        "first={PERSON|Ulrika};last={PERSON|Hedlund};dob={DATE_TIME|1990-11-23};plan=basic",
    ],
    "ticket": [
        "Paid with card {CREDIT_CARD|4111 1111 1111 1111} exp {?DATE_TIME|12/27} cvv 123",
        "I am writing about order 167.",
        "Hello, I'm {PERSON|Mirela Popović} and my parcel 7788 is late, call me on {PHONE_NUMBER|+385 91 234 5678}",
        "my order 21-3381 should go to {PERSON|Aidan} at {STREET_ADDRESS|5 Fishergate, York YO10 4AB}",
        "Customer: {PERSON|Noortje Smeets}\nAgent: {PERSON|Ravindra}\nTopic: late delivery of order 5567",
        "The code 884213 was sent to {PHONE_NUMBER|+44 7700 900123}.",
        "refund 39.99 to {IBAN_CODE|SE45 5000 0000 0583 9825 7466} please, {PERSON|Malin Åkesson}",
        "Hi {PERSON|Devereux}, the lamp (item 88-201) is back in stock.",
        "{PERSON|Katarína Hrušková} from {ORGANIZATION|Tatra Solar s.r.o.} asks for 12 panels.",
        "We are in {LOCATION|Kraków} and the hotline is only open in {LOCATION|Dublin}.",
        "my neighbour at number 7 has the parcel, his name is {PERSON|Eamon Tierney}",
        "Firmware 2.3.11 breaks the scanner model SC-450, says {PERSON|Hyacinth Mooney}.",
        "pls change my mail from {EMAIL_ADDRESS|old.name@example.com} to {EMAIL_ADDRESS|new.name@example.com}",
        "{PERSON|Giancarlo} here, the voucher GIFT-50-XMAS does not work",
        "Ref 2024/118: your claim about seat 21A was approved.",
    ],
    "signature": [
        "Kind regards\n{PERSON|Rüdiger Schönfeld}\nProject Manager\n{ORGANIZATION|Weserbau GmbH}\n"
        "{STREET_ADDRESS|Hafenstraße 21, 28217 Bremen}\nTel: {PHONE_NUMBER|+49 421 987650}",
        "Viele Grüße\n{PERSON|Gudrun Täuber}\n{STREET_ADDRESS|Am Hang 14\n34117 Kassel}",
        "Met vriendelijke groet,\n{PERSON|Sanne Vermeulen}\n{EMAIL_ADDRESS|s.vermeulen@example.nl}",
        "{PERSON|Laurent Béchet}\n{ORGANIZATION|Atelier Béchet SARL}\n{STREET_ADDRESS|14 rue des Tanneurs\n"
        "68000 Colmar\nFrance}",
        "Pozdrawiam\n{PERSON|Mirosław Gajda}\ntel. {PHONE_NUMBER|+48 22 123 45 67}",
        "Cheers,\n{PERSON|Dougal}\n\n> Where is my order 4471?",
        "{PERSON|Margareta Wallin}\nKundtjänst\n{STREET_ADDRESS|Stora Nygatan 30\n211 37 Malmö}",
    ],
    "identifier": [
        "NIF {ES_NIF|54362315K}, {PERSON|Remedios Tapia}",
        "Her personnummer is {SE_PERSONNUMMER|880320-0016}.",
        "my card number is {CREDIT_CARD|3782 822463 10005} and the name is {PERSON|Osric Talbot}",
        "reference GB29 is no IBAN, {IBAN_CODE|GB82 WEST 1234 5698 7654 32} is",
        "NINO {UK_NINO|AB 12 34 56 C}, employee {PERSON|Persephone Crewe}",
        "passport {*|K4827193} was scanned at gate 4",
        "medicare {AU_MEDICARE|2123 45670 1}, patient {PERSON|Jacinta Bourke}",
    ],
    "nothing": [
        "Order 167 was split into 2 parcels.",
        "Version 12.3.0.4 fixes the login page.",
        "Price 12/27 EUR with or without VAT",
        "Part no. 5N0-819-669, fits model years 08/15",
        "Line 88: expected ';' but found '}'",
        "exp {?DATE_TIME|12/27}, cvv on the back",
        "SKU BX-2210-S is out of stock until {?DATE_TIME|week 34}.",
        "def total(rows): return sum(row[2] for row in rows)",
        "Retry 3 of 5 after {?DATE_TIME|250 ms}, queue payments-eu, offset 99182733",
        "See chapter 7, table 12, row 4.",
        "Bus 42 stops at platform 3.",
        "Ticket closed: duplicate of 88213",
        "DOB, name and passport number are required fields.",
        "The invoice INV-88213 covers {?DATE_TIME|12 months} at 9.99.",
        "kubectl scale deployment/web --replicas=5 -n shop",
        "WARN  GC pause {?DATE_TIME|412 ms}, heap 71 %, threads 88",
        "Coupon 20OFF is valid once per household.",
        "IBAN, BIC and tax number go on page 2 of the form.",
        "order 99/2024, lot 7, 120 units",
        "screen 15.6 inch, 1920x1080, 8 GB RAM, 512 GB SSD",
    ],
}  # fmt: skip
"""Kind -> lines."""


def parsed(kind: str, line: str) -> Record:
    """Return the text of a line of ``DEV`` or ``HELD_OUT``, and its spans."""
    text, at = "", 0
    spans: tuple[list[Span], list[Span]] = ([], [])
    for mark in _MARK.finditer(line):
        text += line[at : mark.start()]
        spans[bool(mark[1])].append((len(text), len(text) + len(mark[3]), mark[2]))
        text, at = text + mark[3], mark.end()
    return Record(kind, text + line[at:], tuple(spans[0]), tuple(spans[1]))


PARTS = {
    name: [parsed(kind, line) for kind, lines in part.items() for line in lines]
    for name, part in (("dev", DEV), ("held out", HELD_OUT))
}
