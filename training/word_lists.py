"""Names of people, places, organisations and other things, to put into sentences written for this project."""

from __future__ import annotations


def listed(words: str) -> list[str]:
    """``words`` between commas."""
    return [" ".join(word.split()) for word in words.split(",")]


GIVEN = listed("""
    Aaliyah, Abdul, Adaeze, Ahmed, Aiko, Alejandro, Alice, Amara, Amit, Ana, Andrei, Anke, Anya, Arjun, Astrid,
    Ayşe, Bao, Beatriz, Ben, Bjorn, Bruno, Callum, Camila, Carlos, Cem, Chidi, Chloe, Chukwuma, Claire, Daniel,
    Deepa, Diego, Dmitri, Ebony, Eleni, Emeka, Emily, Emre, Fatima, Felipe, Fiona, Gabriela, George, Giulia, Grace,
    Guo, Hana, Haruto, Hassan, Heidi, Ibrahim, Igor, Imani, Ines, Ivan, Jack, Jamal, Javier, Jing, Joanna, Jorge,
    Julia, Kaito, Karim, Katarzyna, Keisha, Khadija, Kwame, Lakshmi, Lars, Latisha, Layla, Lena, Liam, Linh, Lucia,
    Luka, Magda, Malik, Manuel, Mariam, Marta, Mateo, Mei, Mia, Mikhail, Minh, Mohammed, Nadia, Naomi, Nikolai,
    Noor, Oksana, Olga, Omar, Paolo, Patrick, Pedro, Precious, Rahul, Rania, Rosa, Rohan, Ruth, Sabine, Salma,
    Samuel, Sanjay, Sara, Sean, Siobhan, Sofia, Stefan, Sunita, Svetlana, Takeshi, Tariq, Thabo, Thomas, Tomasz,
    Uche, Valentina, Vikram, Wei, William, Xavier, Yara, Yusuf, Zainab, Zoe
""")
SURNAMES = listed("""
    Abe, Adeyemi, Agarwal, Aguilar, Akhtar, Al-Farsi, Andersen, Banerjee, Baker, Bauer, Becker, Bello, Bianchi,
    Brown, Castro, Chanda, Chavez, Cohen, Costa, Da Silva, Davies, De Vries, Diaz, Diallo, Dubois, Eriksson, Evans,
    Fernandez, Fischer, Flores, Fujita, Garcia, Gonzalez, Gupta, Haddad, Hansen, Hernandez, Hoffmann, Hussain,
    Ibrahim, Ivanov, Jackson, Jansen, Johansson, Jones, Kapoor, Kaya, Khan, Kim, Kimura, Kovacs, Kowalski, Kumar,
    Lee, Levy, Lopez, MacDonald, Mahmoud, Martin, Mbeki, McCarthy, Mendoza, Meyer, Mills, Morales, Moreau, Mwangi,
    Nakamura, Ndlovu, Nguyen, Novak, O'Brien, Okafor, Olsen, Osei, Ozturk, Papadopoulos, Park, Patel, Pereira,
    Petrov, Popescu, Qureshi, Ramirez, Rao, Reyes, Rossi, Russo, Sato, Schmidt, Schneider, Sharma, Silva, Singh,
    Smirnov, Sokolov, Suzuki, Takahashi, Taylor, Thompson, Tran, Turner, Van den Berg, Vargas, Wagner, Walker, Wang,
    Watanabe, Weber, Williams, Wong, Wright, Yamamoto, Yilmaz, Young, Zhang, Zhou
""")
PLACES = listed("""
    Accra, Alabama, Amsterdam, Andalusia, Athens, Auckland, Baghdad, Bali, Bangkok, Barcelona, Basel, Beijing,
    Belfast, Belgium, Birmingham, Bogota, Bolivia, Brazil, Brisbane, Brussels, Budapest, Buenos Aires, Cairo,
    Calgary, California, Cape Town, Caracas, Chile, Colombia, Copenhagen, Cornwall, Croatia, Dakar, Delhi, Denmark,
    Denver, Detroit, Dhaka, Dubai, Edinburgh, Egypt, Estonia, Ethiopia, Finland, Florence, Florida, Frankfurt,
    Ghana, Glasgow, Greece, Hanoi, Havana, Helsinki, Hong Kong, Houston, Iceland, Illinois, Indonesia, Ireland,
    Istanbul, Jakarta, Jamaica, Japan, Jerusalem, Johannesburg, Jordan, Karachi, Kenya, Kuala Lumpur, Lagos, Leeds,
    Leipzig, Lisbon, Liverpool, Ljubljana, Lyon, Malta, Manchester, Manila, Marseille, Melbourne, Mexico City,
    Miami, Milan, Montreal, Morocco, Mumbai, Munich, Naples, Nebraska, Nepal, New Orleans, New Zealand, Nigeria,
    North Carolina, Norway, Oregon, Osaka, Oslo, Ottawa, Pakistan, Palermo, Peru, Philadelphia, Poland, Porto,
    Portugal, Quebec, Queensland, Quito, Riga, Rio de Janeiro, Rome, Rotterdam, Rwanda, San Diego, Santiago, Sao
    Paulo, Saxony, Scotland, Senegal, Seville, Shanghai, Singapore, Sofia, Spain, Stockholm, Sweden, Sydney, Taipei,
    Tanzania, Tehran, Texas, Thailand, the Alps, the Baltic Sea, the Black Forest, the Bronx, the Danube, the Gulf
    of Mexico, the Lake District, the Netherlands, the Nile, the Sahara, Tokyo, Tunisia, Turin, Uganda, Ukraine,
    Utrecht, Vancouver, Venice, Vietnam, Wales, Yorkshire, Zagreb, Zurich
""")
ORGANISATIONS = listed("""
    Adidas, Airbus, Allianz, Amazon, Amnesty International, AT&T, BASF, the BBC, Bayern Munich, the Bank of England,
    BMW, Boeing, Brightwater Ltd, the Catholic Church, Cisco, CNN, Costa & Sons, Deutsche Bahn, the Democratic
    Party, Doctors Without Borders, eBay, the European Central Bank, the European Commission, Exxon, the FBI, FC
    Barcelona, Ford, Fujitsu, General Electric, Google, Greenpeace, Harvard University, Hitachi, the High Court,
    Honda, HSBC, IBM, Ikea, Infosys, Intel, Interpol, the Labour Party, Lufthansa, Microsoft, the Ministry of
    Health, the Metropolitan Police, MIT, NASA, NATO, Nestle, Netflix, the New York Times, Nike, Nintendo, Nokia,
    Northgate Hospital, Novartis, Oakfield Primary School, Oxford University, Oxfam, PayPal, Pfizer, Philips, the
    Red Cross, Reuters, Ryanair, Samsung, the Senate, Shell, Siemens, Sony, Spotify, Stanford University, Starbucks,
    Tata Steel, Tesla, the Supreme Court, Toyota, Twitter, Uber, UNESCO, Unicef, the United Nations, the University
    of Cape Town, Vodafone, Volkswagen, Walmart, the Washington Post, Westbrook Logistics, the World Bank, Yamaha,
    Zenith Insurance, Chicago Bulls, Manchester City, Los Angeles Lakers, Leeds United, Dallas Cowboys, Boston Red
    Sox, Ajax, Juventus
""")
MISC = listed("""
    American, Australian, Brazilian, British, Canadian, Catholic, Chinese, Danish, Dutch, Egyptian, French, German,
    Greek, Indian, Iranian, Irish, Italian, Japanese, Kenyan, Korean, Mexican, Nigerian, Norwegian, Polish,
    Portuguese, Russian, Scottish, Spanish, Swedish, Swiss, Turkish, Vietnamese, Muslim, Jewish, Buddhist, the
    Olympic Games, the World Cup, World War II, the Nobel Prize, the Oscars, the Super Bowl, the Cold War, the
    French Revolution, Christmas, Ramadan, Easter, Oktoberfest, iPhone, PlayStation, Windows, Android, Boeing 747,
    Model S, Harry Potter, Hamlet, Star Wars, The Godfather, Game of Thrones, Mona Lisa, Bohemian Rhapsody, Don
    Quixote, the Tour de France, Formula One, Wimbledon, the Champions League, Brexit, the Bible, the Quran,
    English, Latin, Hindi, Swahili
""")
