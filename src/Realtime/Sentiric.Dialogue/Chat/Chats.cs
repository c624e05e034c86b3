using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;

namespace Sentiric.Dialogue;

/// <summary>The same conversation over text. One message at a time per chat; what is said counts as read at once.</summary>
public sealed class Chats(AgentPorts ports, IAssistants assistants, DialogueOptions options) : IChats
{
    /// <summary>Locks that chats share by their id: two messages of one chat never overlap in a process.</summary>
    private const int Locks = 64;

    private const string Actor = "agent";

    private readonly SemaphoreSlim[] _gates = Enumerable.Range(0, Locks).Select(_ => new SemaphoreSlim(1, 1)).ToArray();
    private readonly TimeZoneInfo _zone = TimeZoneInfo.FindSystemTimeZoneById(options.TimeZone);

    public async ValueTask<Result<ChatReply>> StartAsync(StartChat request, CancellationToken ct)
    {
        var found = await assistants.FindAsync(request.Tenant, request.AssistantId, ct).ConfigureAwait(false);
        if (found.Refusal is { } refusal)
        {
            return refusal;
        }

        var now = ports.Time.GetUtcNow();
        var (chatId, assistant) = (Guid.CreateVersion7(now), found.Value);
        var setup = new Setup(
            chatId, request.Tenant, assistant.Language, assistant, null, request.Contact, true, false, ports.Llm is not null, options.Limits, options.PromptsIn(assistant.Language));
        var exchange = new Exchange(request.Tenant, chatId, DialogueState.New);
        exchange.Facts.Add(new ChatStarted(now, request.AssistantId, assistant, assistant.Language, request.Contact));
        return await RunAsync(exchange, new Started(now, setup, DialplanAction.StartAiConversation, "normal", null), ct).ConfigureAwait(false);
    }

    public async ValueTask<Result<ChatReply>> SayAsync(string tenant, Guid chatId, string text, CancellationToken ct)
    {
        if (text.Length > options.MaxChatText)
        {
            return new Refusal("chat.text_too_long", $"A message has {options.MaxChatText} characters at most; this one has {text.Length}.");
        }

        var gate = _gates[(uint)chatId.GetHashCode() % Locks];
        await gate.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            return await AnswerAsync(tenant, chatId, text, ct).ConfigureAwait(false);
        }
        finally
        {
            gate.Release();
        }
    }

    private async ValueTask<Result<ChatReply>> AnswerAsync(string tenant, Guid chatId, string text, CancellationToken ct)
    {
        var json = await ports.State.GetAsync(chatId, ct).ConfigureAwait(false);
        if (json is null || DialogueJson.ReadChat(json) is not { } chat || chat.ChatId != chatId || chat.Tenant != tenant)
        {
            return new Refusal("chat.unknown", "There is no such chat, or it was left too long ago. Start a new one.");
        }

        if (chat.State.Phase == Phase.Ended)
        {
            return new Refusal("chat.ended", "This chat has ended. Start a new one.");
        }

        var said = new CallerSaid(ports.Time.GetUtcNow(), text, 1, 0, 0);
        return await RunAsync(new(tenant, chatId, chat.State) { Began = ports.Time.GetTimestamp() }, said, ct).ConfigureAwait(false);
    }

    private async Task<ChatReply> RunAsync(Exchange exchange, DialogueInput first, CancellationToken ct)
    {
        exchange.Inputs.Enqueue(first);
        while (exchange.Inputs.TryDequeue(out var input))
        {
            var (next, effects) = DialogueStep.Next(exchange.State, input with { At = TimeZoneInfo.ConvertTime(input.At, _zone) });
            exchange.State = next;
            foreach (var effect in effects)
            {
                await DoAsync(exchange, effect, ct).ConfigureAwait(false);
            }
        }

        await JournalAsync(exchange, ct).ConfigureAwait(false);
        await ports.State.PutAsync(exchange.ChatId, DialogueJson.Write(new ChatSnapshot(exchange.Tenant, exchange.ChatId, exchange.State)), options.KeepState, ct).ConfigureAwait(false);
        return new(exchange.ChatId, exchange.Texts, exchange.State.Phase == Phase.Ended);
    }

    private async Task DoAsync(Exchange exchange, DialogueEffect effect, CancellationToken ct)
    {
        var errands = new Errands(ports, exchange.Tenant, exchange.ChatId);
        switch (effect)
        {
            case Say say:
                exchange.Texts.Add(say.Utterance.Text);
                break;
            case SearchTheKnowledge search:
                exchange.Inputs.Enqueue(await errands.SearchAsync(search, ct).ConfigureAwait(false));
                break;
            case CallTool call:
                exchange.Inputs.Enqueue(await errands.CallAsync(call, ct).ConfigureAwait(false));
                break;
            case AskLlm ask when ports.Llm is { } llm:
                await LlmRunner.AskAsync(llm, ask, ports.Time, exchange.Facts.Add, exchange.Take, ct).ConfigureAwait(false);
                break;
            case AskLlm ask:
                exchange.Inputs.Enqueue(new LlmGaveUp(ports.Time.GetUtcNow(), ask.WorkId, "", "no language model is configured"));
                break;
            case Note note:
                exchange.Facts.Add(note.Event);
                break;
            case CompleteTurn turn:
                exchange.Facts.Add(new DialogTurnCompleted(ports.Time.GetUtcNow(), turn.Turn, turn.Heard, turn.Answered, turn.Confidence, Latency(exchange)));
                break;
            case HangUp hangUp:
                exchange.Facts.Add(new ChatEnded(ports.Time.GetUtcNow(), hangUp.Reason));
                break;
            case StopTalking or StartEcho or SetTimer or StopTimer:
                // A text has no voice and no silence.
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(effect), effect.GetType().Name, "an effect that no chat knows");
        }
    }

    // A text is there at once: all the time goes into thinking.
    private TurnLatency Latency(Exchange exchange)
    {
        var took = (long)ports.Time.GetElapsedTime(exchange.Began).TotalMilliseconds;
        return new(0, 0, took, 0, took);
    }

    private async Task JournalAsync(Exchange exchange, CancellationToken ct)
    {
        var entries = exchange.Facts.Select(f => new JournalEntry(Guid.CreateVersion7(ports.Time.GetUtcNow()), f, Actor)).ToArray();
        var written = await ports.Journal.AppendAsync(exchange.Tenant, Streams.Chat(exchange.ChatId), entries, ct).ConfigureAwait(false);
        if (written.Refusal is { } refusal)
        {
            throw new InvalidOperationException($"the journal refused a chat: {refusal.Code} {refusal.Why}");
        }
    }

    private sealed class Exchange(string tenant, Guid chatId, DialogueState state)
    {
        public string Tenant { get; } = tenant;

        public Guid ChatId { get; } = chatId;

        public DialogueState State { get; set; } = state;

        public long Began { get; init; }

        public Queue<DialogueInput> Inputs { get; } = new();

        public List<string> Texts { get; } = [];

        public List<object> Facts { get; } = [];

        public ValueTask Take(DialogueInput input)
        {
            Inputs.Enqueue(input);
            return ValueTask.CompletedTask;
        }
    }
}
