using Sentiric.Contracts.Events;
using Xunit;

namespace Sentiric.Dialogue.Tests;

public sealed class WholeAnswerTests
{
    private static readonly DateOnly Today = DateOnly.FromDateTime(Clinic.Start.DateTime);

    [Theory]
    [InlineData("day", "salı günü")]
    [InlineData("day", "salı")]
    [InlineData("day", "on beş kasım")]
    [InlineData("day", "salı günü saat onda")]
    [InlineData("time", "saat onda")]
    [InlineData("time", "onda")]
    [InlineData("time", "saat on buçukta")]
    [InlineData("time", "on buçuk")]
    [InlineData("time", "öğleden sonra üçte")]
    [InlineData("time", "ona çeyrek kala")]
    [InlineData("name", "ayşe yılmaz")]
    [InlineData("name", "benim adım ayşe yılmaz")]
    public void A_value_that_fills_the_open_slot_is_an_answer(string slot, string text) => Assert.True(Is(Asked(slot), text));

    [Theory]
    [InlineData("day", "")]
    [InlineData("day", "salı günü saat")]
    [InlineData("day", "salı günü saat on")]
    [InlineData("day", "salı günü saat on ve")]
    [InlineData("day", "salı değil")]
    [InlineData("day", "salı günü gelmek")]
    [InlineData("day", "haftaya salı")]
    [InlineData("day", "saat onda")]
    [InlineData("day", "salı günü adım ayşe")]
    [InlineData("day", "on beş")]
    [InlineData("time", "saat on")]
    [InlineData("time", "ona")]
    [InlineData("time", "ona çeyrek")]
    [InlineData("time", "saat on otuz")]
    [InlineData("time", "öğleden sonra")]
    [InlineData("time", "salı günü")]
    [InlineData("name", "ayşe")]
    [InlineData("name", "adım ayşe")]
    [InlineData("name", "randevu almak istiyorum")]
    [InlineData("name", "evet")]
    public void What_may_go_on_or_answers_something_else_is_none(string slot, string text) => Assert.False(Is(Asked(slot), text));

    [Theory]
    [InlineData("evet", true)]
    [InlineData("evet doğru", true)]
    [InlineData("hayır", true)]
    [InlineData("hayır çarşamba günü", true)]
    [InlineData("hayır saat on", false)]
    [InlineData("salı değil", false)]
    [InlineData("evet ama", false)]
    [InlineData("hı hı", false)]
    public void A_yes_a_no_or_a_correction_answers_a_confirmation(string text, bool isAnswer) =>
        Assert.Equal(isAnswer, Is(new Mind { TaskId = "book", Awaiting = Awaiting.Confirmation }, text));

    [Fact]
    public void Digits_and_free_text_may_always_go_on()
    {
        var task = new AssistantTask("card", ["kart"], [new("number", "number", "Numara?", []), new("note", "text", "Not?", [])], "kart", "ask", "", "", "");
        var assistant = Clinic.Turkish with { Tasks = [task] };
        Assert.False(WholeAnswer.Is(new Mind { TaskId = "card", Awaiting = Awaiting.Slot, SlotName = "number" }, assistant, "beş yüz otuz iki", Today, "tr"));
        Assert.False(WholeAnswer.Is(new Mind { TaskId = "card", Awaiting = Awaiting.Slot, SlotName = "note" }, assistant, "kapıda bekliyorum", Today, "tr"));
    }

    [Fact]
    public void Nothing_is_an_answer_while_nothing_is_asked()
    {
        Assert.False(Is(new Mind(), "salı günü"));
        Assert.False(Is(new Mind(), "evet"));
        Assert.True(Is(new Mind { Awaiting = Awaiting.AnythingElse }, "yok"));
    }

    private static Mind Asked(string slot) => new() { TaskId = "book", Awaiting = Awaiting.Slot, SlotName = slot };

    private static bool Is(Mind mind, string text) => WholeAnswer.Is(mind, Clinic.Turkish, text, Today, "tr");
}
