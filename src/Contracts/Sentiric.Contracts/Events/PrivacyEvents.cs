namespace Sentiric.Contracts.Events;

/// <summary>Stream <c>erasure-{id}</c>: somebody was forgotten. Nothing here says who: the hash is keyed, the streams are named by ids.</summary>
/// <param name="SubjectHash">Keyed hash of the subject; the same person, the same hash.</param>
/// <param name="Streams">Where the person occurs; read models write the rows of these streams anew. Many streams make several events.</param>
public sealed record PersonalDataErased(DateTimeOffset At, Guid ErasureId, string SubjectHash, IReadOnlyList<ErasedStream> Streams) : IFact;

public sealed record ErasedStream(string Tenant, string Stream);
