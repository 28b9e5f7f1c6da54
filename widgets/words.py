"""The words a widget says, by locale, and the units of an age.

Tables only, in our own words. A locale is here or not spoken: nothing comes from another language.
"""

from __future__ import annotations

SAID = ("live", "delayed", "stale", "held", "disputed", "unavailable", "up", "down", "flat", "unknown")
"""A quote's states and a change's directions, as the code names them."""
RANGES = ("1D", "7D", "1M", "1Y", "Max")
"""How far back a chart reaches, as its option names it."""

WORDS = {
    "en": "# live price|Live chart|Demo|# old|as of # UTC|24h|UTC day|"
    "live|delayed|stale|held|disputed|unavailable|up|down|unchanged|unknown",
    "de": "# Live-Kurs|Live-Chart|Demo|vor #|Stand: # UTC|24 h|UTC-Tag|"
    "live|verzögert|veraltet|angehalten|strittig|nicht verfügbar|gestiegen|gefallen|unverändert|unbekannt",
    "fr": "Cours en direct : #|Graphique|Démo|il y a #|au # UTC|24 h|jour UTC|"
    "en direct|différé|périmé|retenu|contesté|indisponible|en hausse|en baisse|inchangé|inconnu",
    "es": "Precio en vivo: #|Gráfico|Demo|hace #|a las # UTC|24 h|día UTC|"
    "en vivo|con retraso|antiguo|retenido|en duda|no disponible|sube|baja|sin cambios|desconocido",
    "pt-BR": "Preço ao vivo: #|Gráfico|Demo|há #|em # UTC|24 h|dia UTC|"
    "ao vivo|atrasado|antigo|retido|em dúvida|indisponível|em alta|em queda|estável|desconhecido",
    "pt-PT": "Preço em direto: #|Gráfico|Demo|há #|em # UTC|24 h|dia UTC|"
    "em direto|atrasado|antigo|retido|em dúvida|indisponível|a subir|a descer|estável|desconhecido",
    "it": "Prezzo in diretta: #|Grafico|Demo|# fa|al # UTC|24 h|giorno UTC|"
    "in diretta|in ritardo|vecchio|trattenuto|incerto|non disponibile|in rialzo|in ribasso|invariato|ignoto",
    "nl": "Actuele koers: #|Grafiek|Demo|# geleden|op # UTC|24 u|UTC-dag|"
    "live|vertraagd|verouderd|aangehouden|betwist|niet beschikbaar|gestegen|gedaald|ongewijzigd|onbekend",
    "pl": "Cena na żywo: #|Wykres|Demo|# temu|stan z # UTC|24 h|dzień UTC|"
    "na żywo|opóźniona|nieaktualna|wstrzymana|sporna|niedostępna|wzrost|spadek|bez zmian|nieznana",
    "sv": "Livepris: #|Livegraf|Demo|# sedan|per # UTC|24 h|UTC-dygn|"
    "live|fördröjt|inaktuellt|hålls|omtvistat|ej tillgängligt|upp|ned|oförändrat|okänt",
    "da": "Livepris: #|Livegraf|Demo|# siden|pr. # UTC|24 t|UTC-døgn|"
    "live|forsinket|forældet|tilbageholdt|omstridt|ikke tilgængelig|op|ned|uændret|ukendt",
    "nb": "Sanntidspris: #|Graf|Demo|# siden|per # UTC|24 t|UTC-døgn|"
    "direkte|forsinket|utdatert|holdt tilbake|omstridt|ikke tilgjengelig|opp|ned|uendret|ukjent",
    "fi": "Hinta nyt: #|Kaavio|Demo|# sitten|tilanne # UTC|24 t|UTC-päivä|"
    "nyt|viivästynyt|vanhentunut|pidätetty|kiistelty|ei saatavilla|nousu|lasku|ennallaan|tuntematon",
    "cs": "Aktuální cena: #|Živý graf|Demo|před #|stav k # UTC|24 h|den UTC|"
    "živě|zpožděná|zastaralá|pozdržená|sporná|nedostupná|růst|pokles|beze změny|neznámá",
    "sk": "Aktuálna cena: #|Živý graf|Demo|pred #|stav k # UTC|24 h|deň UTC|"
    "naživo|oneskorená|zastaraná|pozdržaná|sporná|nedostupná|rast|pokles|bez zmeny|neznáma",
    "hu": "Élő árfolyam: #|Élő grafikon|Demó|kora: #|állapot: # UTC|24 ó|UTC-nap|"
    "élő|késleltetett|elavult|visszatartott|vitatott|nem érhető el|emelkedik|csökken|változatlan|ismeretlen",
    "ro": "Preț în direct: #|Grafic|Demo|acum #|la # UTC|24 h|zi UTC|"
    "în direct|întârziat|vechi|reținut|incert|indisponibil|în creștere|în scădere|neschimbat|necunoscut",
    "bg": "Цена на живо: #|Графика|Демо|преди #|към # UTC|24 ч|ден по UTC|"
    "на живо|забавена|остаряла|задържана|спорна|няма данни|нагоре|надолу|без промяна|неизвестно",
    "el": "Ζωντανή τιμή: #|Γράφημα|Demo|πριν από #|στις # UTC|24 ώ.|ημέρα UTC|"
    "ζωντανά|με καθυστέρηση|παλιά|σε αναμονή|αμφίβολη|μη διαθέσιμη|άνοδος|πτώση|αμετάβλητη|άγνωστη",
    "hr": "Cijena uživo: #|Grafikon|Demo|prije #|stanje # UTC|24 h|dan UTC|"
    "uživo|odgođena|zastarjela|zadržana|sporna|nedostupna|rast|pad|bez promjene|nepoznata",
    "sl": "Cena v živo: #|Graf|Demo|pred #|stanje # UTC|24 h|dan UTC|"
    "v živo|z zamikom|zastarela|zadržana|sporna|ni na voljo|rast|padec|brez spremembe|neznana",
    "lt": "Kaina dabar: #|Diagrama|Demo|prieš #|# UTC duomenys|24 val.|UTC diena|"
    "tiesiogiai|vėluoja|pasenusi|sulaikyta|ginčytina|nėra duomenų|kyla|krinta|nepakito|nežinoma",
    "tr": "Canlı fiyat: #|Canlı grafik|Demo|# önce|# UTC itibarıyla|24 sa.|UTC günü|"
    "canlı|gecikmeli|eski|bekletiliyor|tartışmalı|mevcut değil|yükseldi|düştü|değişmedi|bilinmiyor",
    "ru": "Цена сейчас: #|График|Демо|# назад|на # UTC|24 ч|день UTC|"
    "сейчас|с задержкой|устарела|удержана|спорная|недоступна|рост|падение|без изменений|неизвестно",
    "uk": "Ціна зараз: #|Графік|Демо|# тому|на # UTC|24 год|день UTC|"
    "наживо|із затримкою|застаріла|утримана|спірна|недоступна|зростання|падіння|без змін|невідомо",
    "he": "מחיר חי: #|גרף חי|הדגמה|לפני #|נכון ל־# UTC|24 שע׳|יום UTC|"
    "חי|מושהה|מיושן|מוחזק|שנוי במחלוקת|לא זמין|עלייה|ירידה|ללא שינוי|לא ידוע",
    "ar": "السعر المباشر: #|رسم مباشر|تجريبي|قبل #|حتى # UTC|24 س|يوم UTC|"
    "مباشر|متأخر|قديم|معلّق|محل خلاف|غير متاح|ارتفاع|انخفاض|بلا تغيير|غير معروف",
    "fa": "قیمت زنده: #|نمودار زنده|نمایشی|# پیش|تا # UTC|۲۴ ساعت|روز UTC|"
    "زنده|با تأخیر|قدیمی|نگه‌داشته|مورد اختلاف|در دسترس نیست|افزایش|کاهش|بدون تغییر|نامشخص",
    "hi": "ताज़ा भाव: #|लाइव चार्ट|डेमो|# पहले|# UTC तक|24 घं॰|UTC दिन|"
    "लाइव|विलंबित|पुराना|रोका गया|विवादित|उपलब्ध नहीं|ऊपर|नीचे|कोई बदलाव नहीं|अज्ञात",
    "bn": "এখনকার দাম: #|লাইভ চার্ট|ডেমো|# আগে|# UTC পর্যন্ত|২৪ ঘণ্টা|UTC দিন|"
    "লাইভ|বিলম্বিত|পুরোনো|আটকে রাখা|বিতর্কিত|পাওয়া যায়নি|বেড়েছে|কমেছে|অপরিবর্তিত|অজানা",
    "th": "ราคาสด: #|กราฟสด|สาธิต|#ที่แล้ว|ณ # UTC|24 ชม.|วัน UTC|"
    "สด|ล่าช้า|เก่า|พักไว้|ยังไม่แน่ชัด|ไม่มีข้อมูล|ขึ้น|ลง|ไม่เปลี่ยนแปลง|ไม่ทราบ",
    "vi": "Giá trực tiếp: #|Biểu đồ|Demo|# trước|lúc # UTC|24 giờ|ngày UTC|"
    "trực tiếp|bị trễ|đã cũ|tạm giữ|chưa rõ|không có|tăng|giảm|không đổi|không rõ",
    "id": "Harga langsung: #|Grafik langsung|Demo|# lalu|per # UTC|24 j|hari UTC|"
    "langsung|tertunda|usang|ditahan|diragukan|tidak tersedia|naik|turun|tetap|tidak diketahui",
    "ms": "Harga langsung: #|Carta langsung|Demo|# lalu|setakat # UTC|24 j|hari UTC|"
    "langsung|lewat|lapuk|ditahan|dipertikai|tidak tersedia|naik|turun|tidak berubah|tidak diketahui",
    "ja": "#の現在価格|ライブチャート|デモ|#前|# UTC 時点|24時間|UTC 当日|"
    "ライブ|遅延|更新なし|保留|要確認|取得できません|上昇|下落|変わらず|不明",
    "ko": "# 실시간 가격|실시간 차트|데모|# 전|# UTC 기준|24시간|UTC 당일|"
    "실시간|지연|오래됨|보류|확인 중|이용 불가|상승|하락|변동 없음|알 수 없음",
    "zh-Hans": "#实时价格|实时图表|演示|#前|截至 # UTC|24小时|UTC 当日|"
    "实时|延迟|过时|暂缓|存疑|暂无价格|上涨|下跌|持平|未知",
    "zh-Hant": "#即時價格|即時圖表|示範|#前|截至 # UTC|24小時|UTC 當日|"
    "即時|延遲|過時|暫緩|存疑|暫無價格|上漲|下跌|持平|未知",
}  # fmt: skip
"""By locale: title, chart, demo, old, as of, day, UTC day, then SAID's. # is what the first,
fourth and fifth tell of."""

LABELS = {
    "en": "Asset|Price|Change|Volume|Market cap|Low|High|Pause|Amount|Currency|# converter|Previous|Next|"
    "Sort by: #|Open|Close|Time|Line|Candles|1h|7d|Page # of #|No history yet|# price chart|Market heatmap|"
    "Live prices|Source|Sources|Day’s range|1D/7D/1M/1Y/Max",
    "de": "Wert|Kurs|Änderung|Volumen|Marktkap.|Tief|Hoch|Anhalten|Betrag|Währung|# umrechnen|Zurück|Weiter|"
    "Sortieren nach: #|Eröffnung|Schluss|Zeit|Linie|Kerzen|1 h|7 T|Seite # von #|Noch kein Verlauf|"
    "Kursdiagramm: #|Heatmap des Marktes|Live-Kurse|Quelle|Quellen|Tagesspanne|1T/7T/1M/1J/Max",
    "fr": "Actif|Cours|Variation|Volume|Capitalisation|Plus bas|Plus haut|Pause|Montant|Devise|"
    "Convertisseur : #|Précédent|Suivant|Trier par : #|Ouverture|Clôture|Heure|Ligne|Chandeliers|1 h|7 j|"
    "Page # sur #|Pas encore d’historique|Graphique du cours : #|Carte thermique du marché|Cours en direct|"
    "Source|Sources|Fourchette du jour|1J/7J/1M/1A/Max",
    "es": "Activo|Precio|Variación|Volumen|Cap. de mercado|Mínimo|Máximo|Pausar|Cantidad|Moneda|"
    "Conversor de #|Anterior|Siguiente|Ordenar por: #|Apertura|Cierre|Hora|Línea|Velas|1 h|7 d|"
    "Página # de #|Aún sin historial|Gráfico del precio: #|Mapa de calor del mercado|Precios en vivo|Fuente|"
    "Fuentes|Rango del día|1D/7D/1M/1A/Máx",
    "pt-BR": "Ativo|Preço|Variação|Volume|Cap. de mercado|Mínima|Máxima|Pausar|Quantia|Moeda|Conversor de #|"
    "Anterior|Próxima|Ordenar por: #|Abertura|Fechamento|Hora|Linha|Velas|1 h|7 d|Página # de #|"
    "Ainda sem histórico|Gráfico do preço: #|Mapa de calor do mercado|Preços ao vivo|Fonte|Fontes|"
    "Faixa do dia|1D/7D/1M/1A/Máx",
    "pt-PT": "Ativo|Preço|Variação|Volume|Cap. de mercado|Mínimo|Máximo|Pausar|Montante|Moeda|"
    "Conversor de #|Anterior|Seguinte|Ordenar por: #|Abertura|Fecho|Hora|Linha|Velas|1 h|7 d|Página # de #|"
    "Ainda sem histórico|Gráfico do preço: #|Mapa de calor do mercado|Preços em direto|Fonte|Fontes|"
    "Intervalo do dia|1D/7D/1M/1A/Máx",
    "it": "Strumento|Prezzo|Variazione|Volume|Capitalizzazione|Minimo|Massimo|Pausa|Importo|Valuta|"
    "Convertitore: #|Precedente|Successiva|Ordina per: #|Apertura|Chiusura|Ora|Linea|Candele|1 h|7 gg|"
    "Pagina # di #|Ancora nessuno storico|Grafico del prezzo: #|Mappa termica del mercato|Prezzi in diretta|"
    "Fonte|Fonti|Intervallo del giorno|1G/7G/1M/1A/Max",
    "nl": "Instrument|Koers|Verandering|Volume|Marktkap.|Laag|Hoog|Pauzeren|Bedrag|Valuta|# omrekenen|"
    "Vorige|Volgende|Sorteren op: #|Opening|Slot|Tijd|Lijn|Kaarsen|1 u|7 d|Pagina # van #|Nog geen historie|"
    "Koersgrafiek: #|Heatmap van de markt|Actuele koersen|Bron|Bronnen|Dagbereik|1D/7D/1M/1J/Max",
    "pl": "Aktywo|Cena|Zmiana|Wolumen|Kapitalizacja|Minimum|Maksimum|Wstrzymaj|Kwota|Waluta|Przelicznik: #|"
    "Poprzednia|Następna|Sortuj według: #|Otwarcie|Zamknięcie|Czas|Linia|Świece|1 h|7 dni|Strona # z #|"
    "Jeszcze brak historii|Wykres ceny: #|Mapa cieplna rynku|Ceny na żywo|Źródło|Źródła|Zakres dnia|"
    "1D/7D/1M/1R/Maks.",
    "sv": "Tillgång|Pris|Förändring|Volym|Marknadsvärde|Lägst|Högst|Pausa|Belopp|Valuta|Räkna om #|"
    "Föregående|Nästa|Sortera efter: #|Öppning|Stängning|Tid|Linje|Ljusstakar|1 h|7 d|Sida # av #|"
    "Ingen historik än|Prisgraf: #|Marknadens värmekarta|Livepriser|Källa|Källor|Dagens intervall|"
    "1D/7D/1M/1Å/Max",
    "da": "Aktiv|Pris|Ændring|Volumen|Markedsværdi|Lavest|Højest|Sæt på pause|Beløb|Valuta|Omregn #|Forrige|"
    "Næste|Sortér efter: #|Åbning|Lukning|Tid|Linje|Lysestager|1 t|7 d|Side # af #|Ingen historik endnu|"
    "Prisgraf: #|Varmekort over markedet|Livepriser|Kilde|Kilder|Dagens interval|1D/7D/1M/1Å/Maks.",
    "nb": "Eiendel|Pris|Endring|Volum|Markedsverdi|Lavest|Høyest|Sett på pause|Beløp|Valuta|Regn om #|"
    "Forrige|Neste|Sorter etter: #|Åpning|Slutt|Tid|Linje|Lysestaker|1 t|7 d|Side # av #|"
    "Ingen historikk ennå|Prisgraf: #|Varmekart over markedet|Sanntidspriser|Kilde|Kilder|Dagens spenn|"
    "1D/7D/1M/1Å/Maks.",
    "fi": "Kohde|Hinta|Muutos|Vaihto|Markkina-arvo|Alin|Ylin|Pysäytä|Määrä|Valuutta|Muunnin: #|Edellinen|"
    "Seuraava|Järjestys: #|Avaus|Päätös|Aika|Viiva|Kynttilät|1 t|7 pv|Sivu #/#|Ei vielä historiaa|"
    "Hintakaavio: #|Markkinan lämpökartta|Hinnat nyt|Lähde|Lähteet|Päivän vaihteluväli|"
    "1 pv/7 pv/1 kk/1 v/Kaikki",
    "cs": "Aktivum|Cena|Změna|Objem|Tržní kap.|Minimum|Maximum|Pozastavit|Částka|Měna|Převodník: #|"
    "Předchozí|Další|Seřadit podle: #|Otevření|Uzavření|Čas|Čára|Svíčky|1 h|7 d|Strana # z #|"
    "Zatím bez historie|Graf ceny: #|Teplotní mapa trhu|Aktuální ceny|Zdroj|Zdroje|Denní rozpětí|"
    "1D/7D/1M/1R/Max",
    "sk": "Aktívum|Cena|Zmena|Objem|Trhová kap.|Minimum|Maximum|Pozastaviť|Suma|Mena|Prevodník: #|"
    "Predchádzajúca|Ďalšia|Zoradiť podľa: #|Otvorenie|Zatvorenie|Čas|Čiara|Sviečky|1 h|7 d|Strana # z #|"
    "Zatiaľ bez histórie|Graf ceny: #|Teplotná mapa trhu|Aktuálne ceny|Zdroj|Zdroje|Denné rozpätie|"
    "1D/7D/1M/1R/Max",
    "hu": "Eszköz|Árfolyam|Változás|Forgalom|Piaci érték|Minimum|Maximum|Szünet|Összeg|Pénznem|Átváltó: #|"
    "Előző|Következő|Rendezés: #|Nyitó|Záró|Idő|Vonal|Gyertyák|1 ó|7 nap|#. oldal / #|Még nincs előzmény|"
    "Árfolyamgrafikon: #|Piaci hőtérkép|Élő árfolyamok|Forrás|Források|Napi sáv|1N/7N/1H/1É/Max",
    "ro": "Activ|Preț|Variație|Volum|Capitalizare|Minim|Maxim|Pauză|Sumă|Monedă|Convertor: #|Înapoi|Înainte|"
    "Sortare după: #|Deschidere|Închidere|Oră|Linie|Lumânări|1 h|7 z|Pagina # din #|Încă fără istoric|"
    "Graficul prețului: #|Harta termică a pieței|Prețuri în direct|Sursă|Surse|Intervalul zilei|"
    "1Z/7Z/1L/1A/Max",
    "bg": "Актив|Цена|Промяна|Обем|Пазарна кап.|Най-ниска|Най-висока|Пауза|Сума|Валута|Конвертор: #|"
    "Предишна|Следваща|Сортиране по: #|Отваряне|Затваряне|Час|Линия|Свещи|1 ч|7 д|Страница # от #|"
    "Още няма история|Графика на цената: #|Топлинна карта на пазара|Цени на живо|Източник|Източници|"
    "Дневен диапазон|1Д/7Д/1М/1Г/Макс.",
    "el": "Στοιχείο|Τιμή|Μεταβολή|Όγκος|Κεφαλαιοποίηση|Χαμηλό|Υψηλό|Παύση|Ποσό|Νόμισμα|Μετατροπέας: #|"
    "Προηγούμενη|Επόμενη|Ταξινόμηση: #|Άνοιγμα|Κλείσιμο|Ώρα|Γραμμή|Κεριά|1 ώ.|7 η.|Σελίδα # από #|"
    "Χωρίς ιστορικό ακόμη|Γράφημα τιμής: #|Θερμικός χάρτης της αγοράς|Ζωντανές τιμές|Πηγή|Πηγές|"
    "Εύρος ημέρας|1Η/7Η/1Μ/1Ε/Όλα",
    "hr": "Imovina|Cijena|Promjena|Volumen|Tržišna kap.|Najniža|Najviša|Pauziraj|Iznos|Valuta|Pretvarač: #|"
    "Prethodna|Sljedeća|Poredaj po: #|Otvaranje|Zatvaranje|Vrijeme|Linija|Svijeće|1 h|7 d|Stranica # od #|"
    "Još nema povijesti|Grafikon cijene: #|Toplinska karta tržišta|Cijene uživo|Izvor|Izvori|Dnevni raspon|"
    "1D/7D/1M/1G/Maks.",
    "sl": "Sredstvo|Cena|Sprememba|Promet|Tržna kap.|Najnižja|Najvišja|Premor|Znesek|Valuta|Pretvornik: #|"
    "Prejšnja|Naslednja|Razvrsti po: #|Odprtje|Zaprtje|Čas|Črta|Sveče|1 h|7 d|Stran # od #|Zgodovine še ni|"
    "Graf cene: #|Toplotni zemljevid trga|Cene v živo|Vir|Viri|Dnevni razpon|1D/7D/1M/1L/Maks.",
    "lt": "Turtas|Kaina|Pokytis|Apyvarta|Kapitalizacija|Žemiausia|Aukščiausia|Pristabdyti|Suma|Valiuta|"
    "Skaičiuoklė: #|Ankstesnis|Kitas|Rikiuoti pagal: #|Atidarymas|Uždarymas|Laikas|Linija|Žvakės|1 val.|"
    "7 d.|Puslapis # iš #|Istorijos dar nėra|Kainos diagrama: #|Rinkos šilumos žemėlapis|Kainos dabar|"
    "Šaltinis|Šaltiniai|Dienos intervalas|1 d./7 d./1 mėn./1 m./Visa",
    "tr": "Varlık|Fiyat|Değişim|Hacim|Piyasa değeri|En düşük|En yüksek|Duraklat|Tutar|Para birimi|"
    "# dönüştürücü|Önceki|Sonraki|Sırala: #|Açılış|Kapanış|Zaman|Çizgi|Mumlar|1 sa.|7 gün|Sayfa # / #|"
    "Henüz geçmiş yok|Fiyat grafiği: #|Piyasa ısı haritası|Canlı fiyatlar|Kaynak|Kaynaklar|Günlük aralık|"
    "1G/7G/1A/1Y/Tümü",
    "ru": "Актив|Цена|Изменение|Объём|Капитализация|Минимум|Максимум|Пауза|Сумма|Валюта|Конвертер: #|Назад|"
    "Вперёд|Сортировка: #|Открытие|Закрытие|Время|Линия|Свечи|1 ч|7 дн.|Страница # из #|Истории пока нет|"
    "График цены: #|Тепловая карта рынка|Цены сейчас|Источник|Источники|Диапазон дня|1Д/7Д/1М/1Г/Макс.",
    "uk": "Актив|Ціна|Зміна|Обсяг|Капіталізація|Мінімум|Максимум|Пауза|Сума|Валюта|Конвертер: #|Назад|Далі|"
    "Сортування: #|Відкриття|Закриття|Час|Лінія|Свічки|1 год|7 дн.|Сторінка # з #|Історії ще немає|"
    "Графік ціни: #|Теплова карта ринку|Ціни зараз|Джерело|Джерела|Діапазон дня|1Д/7Д/1М/1Р/Макс.",
    "he": "נכס|מחיר|שינוי|מחזור|שווי שוק|נמוך|גבוה|השהיה|סכום|מטבע|המרת #|הקודם|הבא|מיון לפי: #|פתיחה|סגירה|"
    "שעה|קו|נרות|1 שע׳|7 ימים|עמוד # מתוך #|אין עדיין היסטוריה|גרף מחיר: #|מפת חום של השוק|מחירים חיים|מקור|"
    "מקורות|טווח יומי|יום/שבוע/חודש/שנה/הכול",
    "ar": "الأصل|السعر|التغيّر|الحجم|القيمة السوقية|الأدنى|الأعلى|إيقاف مؤقت|المبلغ|العملة|محوّل #|السابق|"
    "التالي|الترتيب حسب: #|الافتتاح|الإغلاق|الوقت|خط|شموع|1 س|7 أيام|صفحة # من #|لا يوجد سجل بعد|مخطط سعر #|"
    "خريطة السوق الحرارية|الأسعار المباشرة|المصدر|المصادر|نطاق اليوم|يوم/أسبوع/شهر/سنة/الكل",
    "fa": "دارایی|قیمت|تغییر|حجم|ارزش بازار|کمترین|بیشترین|مکث|مقدار|ارز|مبدل #|قبلی|بعدی|مرتب‌سازی: #|"
    "بازشدن|بسته‌شدن|زمان|خطی|شمعی|۱ ساعت|۷ روز|صفحهٔ # از #|هنوز سابقه‌ای نیست|نمودار قیمت #|"
    "نقشهٔ گرمایی بازار|قیمت‌های زنده|منبع|منابع|بازهٔ روز|۱ روز/۷ روز/۱ ماه/۱ سال/همه",
    "hi": "संपत्ति|भाव|बदलाव|वॉल्यूम|बाज़ार पूंजी|निम्न|उच्च|रोकें|राशि|मुद्रा|# कन्वर्टर|पिछला|अगला|क्रम: #|खुला|बंद|समय|रेखा|"
    "कैंडल|1 घं॰|7 दिन|पृष्ठ #/#|अभी कोई इतिहास नहीं|# भाव चार्ट|बाज़ार हीटमैप|ताज़ा भाव|स्रोत|स्रोत|दिन का दायरा|"
    "1 दिन/7 दिन/1 माह/1 वर्ष/सभी",
    "bn": "সম্পদ|দাম|পরিবর্তন|লেনদেন|বাজার মূলধন|সর্বনিম্ন|সর্বোচ্চ|থামান|পরিমাণ|মুদ্রা|# কনভার্টার|আগের|পরের|"
    "সাজান: #|প্রারম্ভিক|সমাপনী|সময়|রেখা|ক্যান্ডেল|১ ঘণ্টা|৭ দিন|পৃষ্ঠা #/#|এখনও কোনো ইতিহাস নেই|# দামের চার্ট|"
    "বাজারের হিটম্যাপ|এখনকার দাম|উৎস|উৎসসমূহ|দিনের পরিসর|১ দিন/৭ দিন/১ মাস/১ বছর/সব",
    "th": "สินทรัพย์|ราคา|เปลี่ยนแปลง|ปริมาณ|มูลค่าตลาด|ต่ำสุด|สูงสุด|หยุดชั่วคราว|จำนวน|สกุลเงิน|แปลง #|ก่อนหน้า|ถัดไป|"
    "เรียงตาม: #|เปิด|ปิด|เวลา|เส้น|แท่งเทียน|1 ชม.|7 วัน|หน้า # จาก #|ยังไม่มีประวัติ|กราฟราคา #|แผนที่ความร้อนของตลาด|"
    "ราคาสด|แหล่งที่มา|แหล่งที่มา|ช่วงราคาของวัน|1 วัน/7 วัน/1 เดือน/1 ปี/ทั้งหมด",
    "vi": "Tài sản|Giá|Thay đổi|Khối lượng|Vốn hóa|Thấp nhất|Cao nhất|Tạm dừng|Số lượng|Tiền tệ|Quy đổi #|"
    "Trước|Sau|Sắp xếp: #|Mở cửa|Đóng cửa|Thời gian|Đường|Nến|1 giờ|7 ngày|Trang #/#|Chưa có lịch sử|"
    "Biểu đồ giá #|Bản đồ nhiệt thị trường|Giá trực tiếp|Nguồn|Nguồn|Biên độ ngày|"
    "1 ngày/7 ngày/1 tháng/1 năm/Tất cả",
    "id": "Aset|Harga|Perubahan|Volume|Kap. pasar|Terendah|Tertinggi|Jeda|Jumlah|Mata uang|Konverter #|"
    "Sebelumnya|Berikutnya|Urutkan: #|Buka|Tutup|Waktu|Garis|Lilin|1 j|7 hr|Halaman # dari #|"
    "Belum ada riwayat|Grafik harga #|Peta panas pasar|Harga langsung|Sumber|Sumber|Rentang hari ini|"
    "1H/7H/1B/1T/Maks.",
    "ms": "Aset|Harga|Perubahan|Volum|Modal pasaran|Terendah|Tertinggi|Jeda|Jumlah|Mata wang|Penukar #|"
    "Sebelumnya|Seterusnya|Isih ikut: #|Buka|Tutup|Masa|Garis|Lilin|1 j|7 hari|Halaman # daripada #|"
    "Belum ada sejarah|Carta harga #|Peta haba pasaran|Harga langsung|Sumber|Sumber|Julat hari ini|"
    "1H/7H/1B/1T/Maks.",
    "ja": "銘柄|価格|変動率|取引高|時価総額|安値|高値|一時停止|数量|通貨|#の換算|前へ|次へ|並べ替え：#|始値|"
    "終値|時刻|ライン|ローソク足|1時間|7日|#/#ページ|履歴はまだありません|#の価格チャート|市場ヒートマップ|"
    "現在価格|情報源|情報源|当日の値幅|1日/7日/1か月/1年/全期間",
    "ko": "종목|가격|변동률|거래대금|시가총액|저가|고가|일시정지|수량|통화|# 환산|이전|다음|정렬: #|시가|"
    "종가|시간|라인|캔들|1시간|7일|#/#페이지|아직 기록이 없습니다|# 가격 차트|시장 히트맵|실시간 가격|출처|"
    "출처|일일 변동폭|1일/7일/1개월/1년/전체",
    "zh-Hans": "资产|价格|涨跌幅|成交额|市值|最低|最高|暂停|数量|货币|#换算|上一页|下一页|排序：#|开盘|收盘|"
    "时间|折线|K线|1小时|7天|第 # 页，共 # 页|暂无历史数据|#价格走势图|市场热力图|实时价格|来源|来源|"
    "当日区间|1天/7天/1个月/1年/全部",
    "zh-Hant": "資產|價格|漲跌幅|成交額|市值|最低|最高|暫停|數量|貨幣|#換算|上一頁|下一頁|排序：#|開盤|收盤|"
    "時間|折線|K線|1小時|7天|第 # 頁，共 # 頁|暫無歷史資料|#價格走勢圖|市場熱力圖|即時價格|來源|來源|"
    "當日區間|1天/7天/1個月/1年/全部",
}  # fmt: skip
"""By locale, what kinds beyond the quote say, in the order of `locales.Words`; at the end a chart's RANGES.

Where a word would inflect behind another (Сортировка: Цена) the pattern sets it apart with a colon.
"""

UNITS = {
    "en": "s min h d",
    "de": "Sek. Min. Std. Tg.",
    "fr": "s min h j",
    "es": "s min h d",
    "pt-BR": "s min h d",
    "pt-PT": "s min h d",
    "it": "s min h gg",
    "nl": "sec min u d",
    "pl": "s min godz. d.",
    "sv": "s min tim d",
    "da": "sek. min. t. d",
    "nb": "sek min t d",
    "fi": "s min t pv",
    "cs": "s min h d.",
    "sk": "s min h d.",
    "hu": "mp p ó nap",
    "ro": "s min. h z",
    "bg": "сек мин ч д",
    "el": "δ. λ. ώ. η.",
    "hr": "s min h d.",
    "sl": "s min h d",
    "lt": "sek. min. val. d.",
    "tr": "sn. dk. sa. gün",
    "ru": "с мин ч дн.",
    "uk": "с хв год дн.",
    "he": "שנ׳ דק׳ שע׳ י׳",
    "ar": "ث د س ي",
    "fa": "ثانیه دقیقه ساعت روز",
    "hi": "से॰ मि॰ घं॰ दिन",
    "bn": "সেকেন্ড মিনিট ঘণ্টা দিন",
    "th": "วินาที นาที ชม. วัน",
    "vi": "giây phút giờ ngày",
    "id": "dtk mnt j hr",
    "ms": "saat min j hari",
    "ja": "秒 分 時間 日",
    "ko": "초 분 시간 일",
    "zh-Hans": "秒 分钟 小时 天",
    "zh-Hant": "秒 分鐘 小時 天",
}
"""Seconds, minutes, hours, days in CLDR's short forms, and where those inflect in its narrow ones.

Not from Babel: it leaves out each plural form that equals the general one and puts a long name in its place.
"""
UNSPACED = frozenset({"th", "ja", "ko", "zh-Hans", "zh-Hant"})
