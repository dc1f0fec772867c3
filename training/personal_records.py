"""Templates of what machines and forms write: fields with their names, rows of tables, logs; and orders and tickets.

Gaps are those of ``training.personal_values``. Names of fields and values that identify nobody are never labelled.
"""

from __future__ import annotations

import random
from collections.abc import Callable

FIELDS: dict[str, tuple[int, str]] = {
    "PERSON": (8, "Name, Name, Full name, Customer, Customer name, Client, Patient, Patient name, Contact, Contact "
        "person, Account holder, Cardholder, Name on card, Applicant, Owner, Tenant, Passenger, Guest, Guest name, "
        "Employee, Manager, Requested by, Signed by, Assignee, Reporter, Agent, Recipient, Sender, Student, Driver, "
        "Insured, Witness, Doctor, GP, Author, Approved by, Reviewer, Buyer, Seller, Attention, Attn, Payee, Member, "
        "Holder, Spouse, Mother, Father, Child, Heir, Lawyer, Supervisor, Caller, Engineer, Handled by, From, To, "
        "Named insured, Policyholder, Legal guardian, Consignee, Referring physician, Next of kin, Emergency contact"),
    "GIVEN": (2, "First name, Given name, Given names, Forename, first, Middle name, Nickname, Preferred name"),
    "SURNAME": (2, "Last name, Surname, Family name, last, Maiden name"),
    "DATE": (4, "DOB, DOB, D.O.B., Date of birth, Birth date, Born, Birthday, Date, Issued, Expires, Valid until, "
    "Start, "
        "End, Due, Arrival, Departure, Check-in, Check-out, Created, Updated, Admission, Discharged, Hired, Invoice "
        "date"),
    "ADDRESS": (2, "Address, Address, Home address, Billing address, Delivery address, Ship to, Street, Location, "
    "Site, "
        "Residence, Property, Adresse, Mailing address"),
    "CITY": (1, "City, Town, Place of birth, Birthplace, Branch, Site, Destination, Origin"),
    "COUNTRY": (1, "Country, Country of birth, Destination"),
    "ZIP_CODE": (1, "ZIP, Zip code, Postcode, Postal code, PLZ"),
    "PHONE": (2, "Phone, Tel, Tel., Mobile, Cell, Fax, Home phone, Work phone, Contact number, WhatsApp"),
    "EMAIL_ADDRESS": (2, "Email, E-mail, Mail, Email address, Login, User, Account"),
    "ORGANIZATION": (2, "Company, Employer, Organisation, Organization, Vendor, Supplier, Hospital, School, Insurer, "
    "Bank"),
    "NRP": (1, "Nationality, Citizenship, Ethnicity, Religion"),
    "AGE": (1, "Age, Age at onset"),
    "JOB": (1, "Occupation, Job title, Position, Title, Role, Profession"),
    "IBAN_CODE": (1, "IBAN, Account, Bank account, Transfer to"),
    "CREDIT_CARD": (1, "Card, Card number, Credit card, CC, PAN"),
    "US_SSN": (1, "SSN, Social security, Social security number, Tax ID"),
    "IP_ADDRESS": (1, "IP, IP address, Client, Source, Host, Last login from, remote_addr"),
    "URL": (1, "Website, Web, Homepage, URL, Domain"),
    "LICENSE": (1, "Driver license, DL, Licence number, Driving licence"),
    "CODE": (14, "Order, Order no., Order ID, Ticket, Case, Case number, Ref, Reference, MRN, MRN, Chart no., "
    "Passport, "
        "Passport no., Passport number, ID, ID card, Policy, Policy no., Invoice, Invoice no., SKU, Item, Article, "
        "Customer ID, Member ID, Account no., Claim, Contract, Booking, PNR, Serial, Serial no., Tracking, Batch, Lot, "
        "Asset, Room, Seat, Gate, Bed, Ward, Code, PIN, Voucher, Coupon, Visa, Student ID, Employee no., Device, PO, "
        "Registration, Docket, Permit, Locker, Badge, NHS, BIC, Model, Part no., CVV, Build"),
    "AMOUNT": (5, "Amount, Total, Price, Balance, Fee, Salary, Rent, Rate, Tax, Discount, Paid, Refund, Deposit, Net"),
    "MEASURE": (4, "Weight, Height, Size, Qty, Quantity, Temp, Length, Storage, Duration, Distance, Pulse, Blood "
        "pressure, Dose, Volume, Guests, Rooms, Nights, Parcels, Score, Bags, Attempts"),
    "EXPIRY": (1, "Exp, Expiry, Valid thru, Expires, Good through"),
    "STATE": (6, "Status, Priority, Category, Type, Sex, Gender, Marital status, Department, Queue, Plan, Tier, "
    "Reason, "
        "Channel, Colour, Language, Severity, Topic, Subject, Allergies, Blood group, Diagnosis, Smoker, Currency, "
        "Payment, Shipping, Product, Item, Vehicle, Component, Stage, Result, Verified, Consent, Relationship, Notes"),
}  # fmt: skip
"""Gap -> how often it is drawn, and the names that its field may have."""
_WEIGHTS = [weight for weight, _ in FIELDS.values()]
_NAMES = {gap: names.split(", ") for gap, (_, names) in FIELDS.items()}
_KEYS = {"PERSON": "name", "GIVEN": "first_name", "SURNAME": "last_name", "DATE": "dob", "CODE": "id"}

TICKETS = [
    "Order {CODE} for {PERSON}, {ADDRESS}", "order {CODE} shipped to {PERSON}, {ADDRESS}, with tracking {CODE}",
    "Order {CODE} was sent to {ADDRESS} by mistake.", "{PERSON}, {ADDRESS}, ordered {MEASURE} of {CODE}.",
    "{PERSON} ({ADDRESS}) has not paid invoice {CODE}.", "Parcel {CODE} is on its way to {ADDRESS}.",
    "Why is order {CODE} late?", "I have a question about order {CODE}.", "about my order {CODE}",
    "ticket {CODE} closed",
    "Order {CODE} has been split, {CODE} follows.", "Reopen {CODE} please.", "{GIVEN} wrote about {CODE} again.",
    "Refund {AMOUNT} for {CODE} to {PERSON}, {IBAN_CODE}.",
    "My card {CREDIT_CARD} exp {EXPIRY} cvv {PLAIN} was refused.",
    "card {CREDIT_CARD}, valid thru {EXPIRY}, {PERSON}", "expires {EXPIRY}, code {PLAIN}", "It says exp {EXPIRY}.",
    "The card ends in {PLAIN} and expires {EXPIRY}.", "{CREDIT_CARD} {EXPIRY} {PLAIN}",
    "{GIVEN} wants {CODE} in {STATE}.",
    "{PERSON} returned item {CODE}, reason {STATE}.", "The {CODE} I bought weighs {MEASURE}, not {MEASURE}.",
    "Since version {VERSION} the app crashes.", "{PERSON} has version {VERSION}, we have {VERSION}.",
    "update to {VERSION}",
    "Firmware {VERSION} on device {CODE}", "{PERSON} says the {CODE} stopped after {MEASURE}.",
    "I paid {AMOUNT} twice.",
    "Hi, {PERSON} here, my booking {CODE} says {AMOUNT} but I paid {AMOUNT}.", "booking {CODE}, seat {CODE}, {PERSON}",
    "Agent: Thank you, {GIVEN}. Is order {CODE} for {ADDRESS}?\nCustomer: no, {ADDRESS}",
    "{GIVEN}, see {CODE} and {CODE}",
    "Passport {CODE} of {PERSON} expires on {DATE}.", "passport {CODE}, born {DATE}, {NRP}",
    "{PERSON}, passport {CODE}",
    "{PERSON}, DOB {DATE}, MRN {CODE}, was admitted with {STATE}.", "DOB {DATE}, MRN {CODE}",
    "MRN {CODE} {PERSON} {DATE}",
    "Patient {PERSON} (DOB {DATE}) was seen on {DATE}.", "Caller {PERSON}, callback {PHONE}, case {CODE}",
    "{PERSON} asks whether {CODE} fits {CODE}.", "courier of {ORGANIZATION} could not find {ADDRESS}", "to: {PERSON}",
    "Two items for {PERSON}: {CODE} and {CODE}", "{PERSON} moved to {ADDRESS} on {DATE}, contract {CODE}.", "re {CODE}",
    "{PERSON} and {PERSON} share contract {CODE}.", "Technician {PERSON} visits {ADDRESS}, {DATE}.",
    "see ticket {CODE}",
    "Lift out of order at {ADDRESS}, ref {CODE}", "Fault at {ADDRESS}: {STATE}", "{ADDRESS} - no power since {DATE}",
    "{PERSON} called from {PHONE} about {CODE} and {AMOUNT}.", "The code {CODE} was texted to {PHONE}.", "{CODE} paid",
    "{PERSON} confirmed {CODE}.", "Escalated to {PERSON}.", "closed by {PERSON}", "Assigned to {PERSON}", "cc {PERSON}",
    "{PERSON} signed for it.", "{PERSON} from {ORGANIZATION} needs {MEASURE} by {DATE}.", "we spoke with {PERSON}",
    "Approved by {PERSON} and {PERSON}.", "{PERSON} can't log in", "handed over to {PERSON}, {PERSON} was away",
    "{PERSON}'s account is locked.", "{PERSON} reported {STATE}.", "{PERSON} is waiting for a reply since {DATE}.",
    "{CLOSING}\n{PERSON}", "{CLOSING}\n{PERSON}\n{BLOCK}", "{CLOSING}\n{PERSON}\n{EMAIL_ADDRESS}\n{PHONE}",
    "{CLOSING}\n{PERSON}\n{JOB}\n{ORGANIZATION}\n{BLOCK}", "{CLOSING}\n\n{PERSON}\nTel. {PHONE}", "{CLOSING}\n{GIVEN}",
    "{CLOSING}\n{PERSON}\n{ADDRESS}", "{CLOSING}\n{PERSON}\n{ORGANIZATION}\n{PHONE}\n{URL}",
    "{PERSON}, {ADDRESS}", "{PERSON}, {ADDRESS}, has moved", "{CLOSING}\n{PERSON}\n{BLOCK}\n{PHONE}",
    "{FOREIGN} {CODE}, {PERSON}",
    "{ORGANIZATION}\n{BLOCK}", "{PERSON}\n{ORGANIZATION}\n{BLOCK}\n{EMAIL_ADDRESS}", "employee {PERSON}, {CODE}",
    "{FOREIGN} {PERSON}", "{FOREIGN} {ADDRESS}", "{FOREIGN} {PERSON}, {ADDRESS}", "{FOREIGN} {PHONE}",
    "{FOREIGN} {CODE}",
]  # fmt: skip

LOGS = [
    "{STAMP} {LEVEL} user {EMAIL_ADDRESS} logged in from {IP_ADDRESS}", "{STAMP} {LEVEL} order {CODE} took {MEASURE}",
    "{STAMP} [{LEVEL}] {WORDS}: {CODE}", "{LEVEL} {WORDS} {CODE} {CODE} {MEASURE}", "{LEVEL}: {WORDS} at line {PLAIN}",
    "{IP_ADDRESS} - - [{STAMP}] \"GET /{WORDS}/{PLAIN}?page={PLAIN} HTTP/1.1\" {PLAIN} {PLAIN}",
    "{LEVEL} {WORDS}={PLAIN}",
    "{STAMP} {LEVEL} mail for {PERSON} bounced, code {PLAIN}", "{LEVEL} payment by {PERSON} failed, attempt {PLAIN}",
    "{STAMP} {WORDS}[{PLAIN}]: session {CODE} opened for {EMAIL_ADDRESS}",
    "{WORDS}={PLAIN} {WORDS}={PLAIN} {WORDS}={CODE}",
    "{WORDS}: {MEASURE}, {WORDS}: {MEASURE}, {WORDS}: {PLAIN}", "host {IP_ADDRESS} port {PLAIN} refused {WORDS}",
    "POST /{WORDS} {PLAIN} {MEASURE}", "commit {CODE} by {PERSON}: {WORDS}", "error {CODE} in {WORDS}.java:{PLAIN}",
    "{STAMP} user={PERSON} action={WORDS} id={PLAIN}", "update {WORDS} set name='{PERSON}' where id = {PLAIN};",
    "insert into {WORDS} values ({PLAIN}, '{PERSON}', '{EMAIL_ADDRESS}');", "{WORDS}.{WORDS}({PLAIN}, {PLAIN})",
    "token {CODE} rejected by {IP_ADDRESS}", "if {WORDS} > {PLAIN}: return {WORDS}[{PLAIN}]",
    "{STAMP} {WORDS} {VERSION} up",
    "kafka {WORDS} partition {PLAIN} offset {CODE} lag {PLAIN}", "{VERSION} -> {VERSION}",
    "heap {MEASURE}, {PLAIN} threads",
    "deploy {WORDS}:{VERSION} to {IP_ADDRESS}", "retry {PLAIN} of {PLAIN} in {MEASURE}",
    "select * from {WORDS} limit {PLAIN}",
]  # fmt: skip

PLAIN_TEXTS = [
    "Order {CODE} was cancelled.", "The total is {AMOUNT} for {CODE}.", "Version {VERSION} needs {MEASURE}.", "{CODE}",
    "See page {PLAIN}, section {VERSION}.", "SKU {CODE}, {MEASURE}, {AMOUNT}", "{CODE} and {CODE} are out of stock.",
    "error {CODE}", "exp {EXPIRY}", "valid until {EXPIRY} see the back", "Size {PLAIN}/{PLAIN}",
    "{PLAIN}/{PLAIN} pieces",
    "Tracking number {CODE}, {MEASURE}", "Invoice {CODE} of {AMOUNT} is due.", "part {CODE} fits {CODE} and {CODE}",
    "Name, address and date of birth are required.", "Name and DOB as in the passport, please.", "MRN and DOB missing",
    "Fields: name, street, zip, city, phone, email", "name,email,phone,city,country", "id;name;street;postcode;town",
    "Please write your IBAN, BIC and name in capitals.", "Your passport must be valid for {PLAIN} months.",
    "SSN is optional",
    "The screen is {MEASURE}, the box {MEASURE}.", "{MEASURE}, {MEASURE}, {MEASURE}",
    "lot {CODE}, {PLAIN} units, {AMOUNT}",
    "Use code {CODE} for {PLAIN} % off.", "Flight {CODE}, gate {CODE}, seat {CODE}", "bus {PLAIN}, platform {PLAIN}",
    "{CODE} x {PLAIN}, {CODE} x {PLAIN}", "Rows {PLAIN} to {PLAIN} of {PLAIN}",
    "chapter {PLAIN}, table {PLAIN}, row {PLAIN}",
    "The customer, the driver and the agent disagree.", "User and manager must sign.", "temp {MEASURE} hum {PLAIN} %",
    "PO {CODE} pos {PLAIN}, {PLAIN} pcs", "duplicate of {CODE}", "Order {CODE} / item {PLAIN} / return {PLAIN}",
    "ref {CODE}",
    "in {PLAIN} parcels, {MEASURE} each", "model {CODE}, serial {CODE}, build {VERSION}",
    "Bill {CODE}: {AMOUNT} + {AMOUNT}",
    "{WORDS} {CODE} {STATE}", "{STATE}, {STATE}, {PLAIN}", "Row {PLAIN}: {CODE};{PLAIN};{STATE};{AMOUNT}",
    "#{PLAIN} {STATE}",
    "{CODE}|{STATE}|{PLAIN}|{MEASURE}", "lot {PLAIN}/{YEARLIKE}", "order {PLAIN}/{YEARLIKE} is {STATE}",
    "{PLAIN} of {PLAIN}",
]  # fmt: skip


def form(chance: random.Random) -> str:
    """Return a template of fields and their names, as forms, tables, JSON and query strings have them."""
    gaps = chance.choices(list(FIELDS), _WEIGHTS, k=chance.choice((1, 2, 2, 3, 3, 4, 5, 6)))
    return chance.choices(LAYOUTS, _SHARES)[0](chance, gaps)


def _text(chance: random.Random, gaps: list[str]) -> str:
    sign = chance.choice((": ", ": ", ": ", ": ", " ", " - ", ":", ". "))
    between = chance.choice(("\n", "\n", "\n", ", ", ", ", "; ", " ", " ", " | ", "  "))
    style = chance.choice((str, str, str, str.lower, str.upper, str.title))
    return between.join(f"{style(chance.choice(_NAMES[gap]))}{sign}{{{gap}}}" for gap in gaps)


def _assigned(chance: random.Random, gaps: list[str]) -> str:
    between = chance.choice((" ", " ", "&", ";", ", "))
    return between.join(f"{_key(chance, gap)}={{{gap}}}" for gap in gaps)


def _json(chance: random.Random, gaps: list[str]) -> str:
    space = chance.choice((" ", "", " "))
    return "{" + f",{space}".join(f'"{_key(chance, gap)}":{space}"{{{gap}}}"' for gap in dict.fromkeys(gaps)) + "}"


def _row(chance: random.Random, gaps: list[str]) -> str:
    between = chance.choice((",", ",", ";", ";", "\t", "|", " | "))
    row = between.join(f"{{{gap}}}" for gap in gaps)
    if between == " | " and chance.random() < 0.7:
        row = f"| {row} |"
    if chance.random() < 0.3:
        return between.join(_key(chance, gap) for gap in gaps) + "\n" + row
    return f"{{PLAIN}}{between}{row}" if chance.random() < 0.5 else row


def _key(chance: random.Random, gap: str) -> str:
    name = _KEYS[gap] if gap in _KEYS and chance.random() < 0.4 else chance.choice(_NAMES[gap])
    return name.lower().replace(" ", "_").replace(".", "").replace("-", "_")


LAYOUTS: list[Callable[[random.Random, list[str]], str]] = [_text, _assigned, _json, _row]
_SHARES = [6, 1, 1, 3]
