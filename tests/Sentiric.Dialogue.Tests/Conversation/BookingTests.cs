using Sentiric.Contracts.Events;
using Xunit;

namespace Sentiric.Dialogue.Tests;

public sealed class BookingTests
{
    [Fact]
    public void The_greeting_discloses_the_machine_and_the_recording_and_knows_the_caller()
    {
        new ScriptedCall(caller: "Ayşe Yılmaz").Agent(
            "Merhaba Ayşe Yılmaz. Yapay zeka destekli bir sesli asistanla görüşüyorsunuz. Görüşmemiz kaydedilmektedir.", "Deva Kliniği'ne hoş geldiniz. Size nasıl");
        new ScriptedCall(Clinic.English).Agent("Hello. You are speaking with an AI voice assistant. This call is being recorded.", "Welcome to Deva Clinic.");
    }

    [Fact]
    public void An_appointment_is_booked_a_question_is_answered_and_the_call_ends_after_the_good_bye()
    {
        var call = new ScriptedCall();
        call.Caller("merhaba randevu almak istiyorum").Agent("Hangi gün")
            .Caller("salı günü").Agent("Saat kaçta")
            .Caller("saat onda").Agent("Adınızı")
            .Caller("ayşe yılmaz").Agent("Salı günü saat 10:00, Ayşe Yılmaz adına, onaylıyor musunuz?")
            .Caller("evet onaylıyorum").Agent("Randevunuz salı günü saat 10:00 için alındı.", "Başka bir konuda")
            .Caller("çalışma saatleriniz nedir").Agent("Hafta içi dokuzdan altıya", "Başka bir konuda")
            .Caller("hayır teşekkür ederim iyi günler").Agent("hoşça kalın");
        var tool = Assert.Single(call.Calls);
        Assert.Equal($"{Clinic.CallId:N}-5-book-1", tool.IdempotencyKey);
        Assert.Equal(["day=salı", "time=10:00", "name=Ayşe Yılmaz", "language=tr", "contact=+905321112233"], tool.Parameters.Select(p => $"{p.Key}={p.Value}"));
        Assert.Equal(CallEndReason.Normal, call.HungUp?.Reason);
        Assert.Equal(7, call.Effects.OfType<CompleteTurn>().Count());
    }

    [Fact]
    public void The_same_works_in_English() =>
        new ScriptedCall(Clinic.English).Caller("hello i would like to make an appointment").Agent("Which day")
            .Caller("on tuesday").Agent("What time").Caller("at half past ten").Agent("your name").Caller("my name is john smith")
            .Agent("Tuesday at 10:30 for John Smith").Caller("yes that is right").Agent("is booked").Caller("what are your opening hours").Agent("nine to six")
            .Caller("no thank you goodbye").Agent("good-bye");

    [Fact]
    public void Several_values_in_one_sentence_are_all_taken() =>
        new ScriptedCall().Caller("salı günü saat onda randevu almak istiyorum").Agent("Adınızı")
            .Caller("benim adım zeynep demir").Agent("Salı günü saat 10:00, Zeynep Demir");

    [Fact]
    public void A_correction_at_the_confirmation_is_taken_and_confirmed_again()
    {
        var call = Confirmed().Caller("hayır çarşamba olsun").Agent("Çarşamba günü saat 10:00");
        call.Caller("evet").Agent("Randevunuz çarşamba");
        Assert.Equal("çarşamba", Assert.Single(call.Calls).Parameters["day"]);
    }

    [Fact]
    public void A_bare_no_asks_what_is_wrong() =>
        Confirmed().Caller("hayır yanlış").Agent("neyi değiştirelim").Caller("saat on birde olsun").Agent("saat 11:00");

    [Fact]
    public void A_named_slot_is_asked_again() => Confirmed().Caller("hayır").Agent("neyi").Caller("saati").Agent("Saat kaçta").Caller("on buçukta").Agent("saat 10:30");

    [Fact]
    public void A_question_in_the_middle_of_a_form_is_answered_and_the_form_goes_on() =>
        new ScriptedCall().Caller("randevu almak istiyorum").Agent("Hangi gün").Caller("adresiniz nedir").Agent("Bahariye Caddesi", "Hangi gün")
            .Caller("yarın").Agent("Saat kaçta").Caller("muayene ücreti ne kadar").Agent("beş yüz lira", "Saat kaçta").Caller("öğleden sonra üçte").Agent("Adınızı");

    [Fact]
    public void A_question_is_no_name() =>
        new ScriptedCall().Caller("salı saat onda randevu istiyorum").Agent("Adınızı").Caller("çalışma saatleriniz nedir").Agent("dokuzdan altıya", "Adınızı");

    [Fact]
    public void A_taken_time_is_told_and_asked_again()
    {
        var call = Confirmed();
        call.Tool = c => new(Clinic.Start, c.WorkId, new Dictionary<string, string>(), "calendar.slot_taken", "Salı 10:00 dolu.", 5);
        call.Caller("evet").Agent("Randevuyu alamadım. Salı 10:00 dolu.", "Saat kaçta");
        call.Tool = null;
        call.Caller("on birde").Agent("saat 11:00").Caller("evet").Agent("alındı");
        Assert.Equal(2, call.Calls.Select(c => c.IdempotencyKey).Distinct().Count());
    }

    [Fact]
    public void A_broken_connector_is_told_without_its_internals()
    {
        var call = Confirmed();
        call.Tool = c => new(Clinic.Start, c.WorkId, new Dictionary<string, string>(), "connector.failed", "HTTP 500 at 10.0.0.7", 5);
        call.Caller("evet").Agent("Sisteme şu anda ulaşamıyorum.", "Başka bir konuda");
        Assert.DoesNotContain(call.Said, u => u.Text.Contains("10.0.0.7", StringComparison.Ordinal));
    }

    [Fact]
    public void A_caller_may_give_up() => new ScriptedCall().Caller("randevu almak istiyorum").Caller("vazgeçtim").Agent("iptal ettim", "Başka bir konuda");

    [Fact]
    public void Who_wants_a_person_hears_the_truth() =>
        new ScriptedCall().Caller("müşteri temsilcisine bağlanmak istiyorum").Agent("temsilcisine bağlayamıyorum", "nasıl yardımcı");

    [Fact]
    public void An_appointment_to_be_cancelled_is_not_booked()
    {
        var call = new ScriptedCall().Caller("randevumu iptal etmek istiyorum");
        Assert.Null(call.State.Mind.TaskId);
    }

    [Fact]
    public void A_digit_sequence_fills_a_number()
    {
        var assistant = Clinic.Turkish with { Tasks = [new("card", ["kart sorgulamak istiyorum"], [new("number", "number", "Kart numaranız?", [])], "kart", "ask", "Tamam.", "", "")] };
        var call = new ScriptedCall(assistant).Caller("kart sorgulamak istiyorum").Agent("Kart numaranız?");
        foreach (var digit in "4711#")
        {
            call.Do(at => new DtmfPressed(at, digit.ToString()));
        }

        Assert.Equal("4711", Assert.Single(call.Calls).Parameters["number"]);
    }

    [Fact]
    public void A_slow_tool_is_announced_and_its_late_answer_still_counts()
    {
        var call = Confirmed();
        call.HoldWork = true;
        call.Caller("evet").Silent().Timer(DialogueTimer.Thinking).Agent("Bir saniye");
        call.Do(at => new ToolAnswered(at, call.Calls.Single().WorkId, new Dictionary<string, string>(), null, null, 3_000)).Agent("alındı");
    }

    [Fact]
    public void An_answer_to_forgotten_work_changes_nothing()
    {
        var call = new ScriptedCall().Caller("randevu almak istiyorum");
        call.Do(at => new ToolAnswered(at, 99, new Dictionary<string, string>(), null, null, 1)).Silent();
    }

    private static ScriptedCall Confirmed() => new ScriptedCall().Caller("salı günü saat onda randevu almak istiyorum").Caller("adım ayşe yılmaz").Agent("onaylıyor musunuz");
}
