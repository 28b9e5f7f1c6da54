"""The words a widget says, by locale, and the units of an age.

Tables only, in our own words. A locale is here or not spoken: nothing comes from another language.
"""

from __future__ import annotations

SAID = ("live", "delayed", "stale", "held", "disputed", "unavailable", "up", "down", "flat", "unknown")
"""A quote's states and a change's directions, as the code names them."""

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
