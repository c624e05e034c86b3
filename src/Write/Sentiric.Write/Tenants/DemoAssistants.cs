using Sentiric.Contracts.Events;

namespace Sentiric.Write.Tenants;

/// <summary>The two assistants of the demo clinic. Phrases are everyday words: the recogniser's language model is built from them.</summary>
internal static class DemoAssistants
{
    public static AssistantDefinition Turkish { get; } = new(
        Name: "Sentiric Diş Kliniği",
        Language: "tr",
        Greeting: "Merhaba, Sentiric Diş Kliniği'ne hoş geldiniz. Size nasıl yardımcı olabilirim?",
        Instructions: "Bir diş kliniğinin telefon asistanısın. Kısa ve kibar konuş. Randevu al, klinik hakkındaki soruları bilgi bankasından yanıtla. Tıbbi öneri verme.",
        Tasks:
        [
            new AssistantTask(
                Id: "book_appointment",
                Triggers:
                [
                    "randevu almak istiyorum", "yeni bir randevu almak istiyorum", "merhaba randevu almak istiyorum", "bir randevu almak istiyorum",
                    "randevu alabilir miyim", "randevu istiyorum", "bir randevu istiyorum", "muayene için randevu almak istiyorum",
                    "diş için randevu almak istiyorum", "doktor için randevu istiyorum", "randevu almak için arıyorum", "iyi günler randevu almak istiyorum",
                ],
                Slots:
                [
                    new AssistantSlot("day", "day", "Hangi gün gelmek istersiniz?", []),
                    new AssistantSlot("time", "time", "Saat kaçta gelmek istersiniz?", []),
                    new AssistantSlot("name", "name", "Adınızı ve soyadınızı söyler misiniz?", []),
                ],
                Connector: SeedDemoTenant.Calendar,
                Action: "book",
                Done: "Randevunuz {day} günü saat {time} için {name} adına alındı. Başka bir sorunuz var mı?",
                Failed: "Randevuyu alamadım. {why}",
                Confirm: "{day} günü saat {time} için {name} adına randevu alıyorum, onaylıyor musunuz?"),
        ],
        UseKnowledge: true,
        Phrases:
        [
            "evet", "hayır", "evet onaylıyorum", "evet doğru", "hayır yanlış", "tamam", "olur", "teşekkür ederim", "hayır teşekkür ederim",
            "teşekkür ederim iyi günler", "hayır teşekkürler iyi günler", "başka bir sorum yok", "hoşça kalın", "iyi günler", "tekrar eder misiniz",
        ]);

    public static AssistantDefinition English { get; } = new(
        Name: "Sentiric dental clinic",
        Language: "en",
        Greeting: "Hello, this is the Sentiric dental clinic. How can I help you?",
        Instructions: "You are the telephone assistant of a dental clinic. Be short and polite. Book appointments and answer questions about the clinic from the knowledge base. Give no medical advice.",
        Tasks:
        [
            new AssistantTask(
                Id: "book_appointment",
                Triggers:
                [
                    "I would like to book an appointment", "I want to make an appointment", "can I get an appointment", "I need an appointment",
                    "book an appointment please", "hello I would like an appointment",
                ],
                Slots:
                [
                    new AssistantSlot("day", "day", "On which day would you like to come?", []),
                    new AssistantSlot("time", "time", "At what time?", []),
                    new AssistantSlot("name", "name", "What is your name, please?", []),
                ],
                Connector: SeedDemoTenant.Calendar,
                Action: "book",
                Done: "Your appointment on {day} at {time} is booked for {name}. Is there anything else?",
                Failed: "I could not book the appointment. {why}",
                Confirm: "I am booking {day} at {time} for {name}. Is that right?"),
        ],
        UseKnowledge: true,
        Phrases: ["yes", "no", "yes please", "that is right", "that is wrong", "no thank you", "thank you", "thank you goodbye", "that is all", "goodbye", "could you repeat that"]);
}
