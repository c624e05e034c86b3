using System.Collections.Immutable;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;

namespace Sentiric.Write.Calls;

/// <summary>Streams <c>call-{id}</c> and <c>chat-{id}</c>: begun, answered, over; and which facts are known already.</summary>
/// <param name="Transferring">A transfer was asked for and nobody has said yet what came of it.</param>
/// <param name="Bridged">The other party talks to somebody else by our doing: it cannot be transferred again.</param>
public sealed record Call(bool Begun, bool Answered, bool Ended, ImmutableHashSet<Guid> Known, bool Transferring = false, bool Bridged = false) : IState<Call>
{
    public static Call Initial { get; } = new(false, false, false, ImmutableHashSet<Guid>.Empty);

    public Call Evolve(IFact fact) => fact switch
    {
        CallReceived or CallRequested or ChatStarted => this with { Begun = true },
        TransferRequested => this with { Transferring = true },
        TransferCompleted => this with { Transferring = false, Bridged = true },
        TransferFailed => this with { Transferring = false },
        CallAnswered => this with { Answered = true },
        CallEnded or ChatEnded => this with { Ended = true },
        _ => this,
    };

    public Call Evolve(Guid eventId, IFact fact) => Evolve(fact) with { Known = Known.Add(eventId) };

    /// <summary>What becomes of one reported fact. Known facts, a second answer and a second end are quiet.</summary>
    public Decision Decide(Guid eventId, IFact fact)
    {
        if (Known.Contains(eventId))
        {
            return Decision.Quiet;
        }

        return (fact, Begun, Ended) switch
        {
            (CallReceived or CallRequested or ChatStarted, true, _) => Decision.Quiet,
            (CallEnded or ChatEnded, true, true) => Decision.Quiet,
            (CallAnswered, true, _) when Answered => Decision.Quiet,
            (CallReceived or CallRequested or ChatStarted, false, _) => Decision.Of(fact),
            // The first one is being carried out.
            (TransferRequested, true, false) when Transferring || Bridged => Decision.Quiet,
            (_, false, _) => new Refusal("journal.invalid", $"{Name(fact)} came before the call itself."),
            // The recording is finished, the media counted, the last SIP response logged and the supervisors gone after the end.
            (RecordingSegmentStored or RecordingAvailable or MediaQualityMeasured or SipMessageLogged or SupervisionEnded, _, true) => Decision.Of(fact),
            (_, _, true) => new Refusal("journal.invalid", $"{Name(fact)} came after the end of the call."),
            _ => Decision.Of(fact),
        };
    }

    private static string Name(IFact fact) => EventCatalog.Of(fact.GetType()).StoredName;
}
