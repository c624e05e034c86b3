using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Testing.Loopback;

namespace Sentiric.Calls.Tests.Kit;

internal sealed record Noted(string Tenant, string Stream, Guid EventId, object Fact, string Actor);

/// <summary>A journal that remembers; a test may make it fail or wait.</summary>
internal sealed class JournalRecorder : ICallJournal
{
    private readonly Lock _gate = new();
    private readonly List<Noted> _noted = [];
    private TaskCompletionSource _changed = New();

    /// <summary>Runs before every append; what it throws, the writer gets.</summary>
    public Func<CancellationToken, Task> Before { get; set; } = _ => Task.CompletedTask;

    public int Appends { get; private set; }

    public IReadOnlyList<Noted> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _noted];
            }
        }
    }

    /// <summary>The story without its ladder, whose messages fall between the facts as the wire has it.</summary>
    public IReadOnlyList<object> Story => [.. All.Select(n => n.Fact).Where(f => f is not SipMessageLogged)];

    public async ValueTask<Result<Done>> AppendAsync(string tenant, string stream, IReadOnlyList<JournalEntry> entries, CancellationToken ct)
    {
        await Before(ct);
        lock (_gate)
        {
            Appends++;
            _noted.AddRange(entries.Select(e => new Noted(tenant, stream, e.EventId, e.Event, e.Actor)));
            _changed.TrySetResult();
            _changed = New();
        }

        return Done.It;
    }

    public Task<IReadOnlyList<object>> UntilAsync<T>() => UntilAsync(n => n.Fact is T, typeof(T).Name);

    public async Task<IReadOnlyList<object>> UntilAsync(Func<Noted, bool> wanted, string what)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                changed = _changed.Task;
            }

            if (All.Any(wanted))
            {
                return Story;
            }

            await Soon.Within(changed, $"{what} in the journal; there is {string.Join(", ", Story.Select(f => f.GetType().Name))}");
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
