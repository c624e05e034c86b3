using Sentiric.Contracts.Events;
using Xunit;

namespace Sentiric.Dialogue.Tests;

public sealed class ChatsTests
{
    private readonly AgentBench _bench = new();
    private readonly Chats _chats;

    public ChatsTests() => _chats = new(_bench.Ports, _bench.World, new DialogueOptions());

    [Fact]
    public async Task A_chat_books_and_ends_and_tells_its_journal()
    {
        var chat = (await _chats.StartAsync(new(Clinic.Tenant, "klinik", "web"), default)).Value;
        Assert.Contains("Yapay zeka", chat.Texts[0], StringComparison.Ordinal);
        Assert.Contains("Adınızı", await SayAsync(chat.ChatId, "salı günü saat onda randevu almak istiyorum"), StringComparison.Ordinal);
        Assert.Contains("onaylıyor musunuz", await SayAsync(chat.ChatId, "adim ayse yilmaz"), StringComparison.Ordinal);
        Assert.Contains("alındı", await SayAsync(chat.ChatId, "evet"), StringComparison.Ordinal);
        Assert.Contains("dokuzdan altıya", await SayAsync(chat.ChatId, "calisma saatleriniz nedir"), StringComparison.Ordinal);
        var end = (await _chats.SayAsync(Clinic.Tenant, chat.ChatId, "hayır teşekkürler, iyi günler", default)).Value;
        Assert.True(end.Ended);
        Assert.Equal("chat.ended", (await _chats.SayAsync(Clinic.Tenant, chat.ChatId, "alo", default)).Refusal?.Code);
        var facts = _bench.World.Facts.ToArray();
        Assert.IsType<ChatStarted>(facts[0]);
        Assert.Equal(CallEndReason.Normal, Assert.IsType<ChatEnded>(facts[^1]).Reason);
        Assert.Equal(5, facts.OfType<DialogTurnCompleted>().Count());
        Assert.Single(facts.OfType<ToolSucceeded>());
        Assert.DoesNotContain(facts, f => f is PlaybackStarted);
    }

    [Fact]
    public async Task An_English_chat_books_asks_and_says_good_bye()
    {
        var chat = (await _chats.StartAsync(new(Clinic.Tenant, "clinic", "web"), default)).Value;
        Assert.Contains("You are chatting with an AI assistant.", chat.Texts[0], StringComparison.Ordinal);
        Assert.Contains("Which day", await SayAsync(chat.ChatId, "Hello, I would like to book an appointment."), StringComparison.Ordinal);
        Assert.Contains("What time", await SayAsync(chat.ChatId, "On Tuesday, please."), StringComparison.Ordinal);
        Assert.Contains("What is your name", await SayAsync(chat.ChatId, "At half past ten."), StringComparison.Ordinal);
        Assert.Contains("Tuesday at 10:30 for John Smith, is that right?", await SayAsync(chat.ChatId, "My name is John Smith."), StringComparison.Ordinal);
        Assert.Contains("is booked", await SayAsync(chat.ChatId, "Yes, that is right."), StringComparison.Ordinal);
        Assert.Contains("from nine to six", await SayAsync(chat.ChatId, "What are your opening hours?"), StringComparison.Ordinal);
        var end = (await _chats.SayAsync(Clinic.Tenant, chat.ChatId, "No thank you, goodbye.", default)).Value;
        Assert.True(end.Ended);
        Assert.Contains("good-bye", end.Texts[^1], StringComparison.Ordinal);
        var booked = Assert.Single(_bench.World.Executed).Parameters;
        Assert.Equal(("tuesday", "10:30", "John Smith", "en"), (booked["day"], booked["time"], booked["name"], booked["language"]));
    }

    [Fact]
    public async Task Another_tenants_chat_is_unknown()
    {
        var chat = (await _chats.StartAsync(new(Clinic.Tenant, "klinik", null), default)).Value;
        Assert.Equal("chat.unknown", (await _chats.SayAsync("other", chat.ChatId, "merhaba", default)).Refusal?.Code);
        Assert.Equal("chat.unknown", (await _chats.SayAsync(Clinic.Tenant, Guid.NewGuid(), "merhaba", default)).Refusal?.Code);
    }

    [Fact]
    public async Task An_unknown_assistant_and_a_text_without_end_are_refused()
    {
        Assert.Equal("assistant.unknown", (await _chats.StartAsync(new(Clinic.Tenant, "nobody", null), default)).Refusal?.Code);
        Assert.Equal("chat.text_too_long", (await _chats.SayAsync(Clinic.Tenant, Guid.NewGuid(), new('a', 2_001), default)).Refusal?.Code);
    }

    private async Task<string> SayAsync(Guid chat, string text) => string.Join(' ', (await _chats.SayAsync(Clinic.Tenant, chat, text, default)).Value.Texts);
}
