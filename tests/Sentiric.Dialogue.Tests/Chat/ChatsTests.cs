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
