using System.Net;

namespace Sentiric.Sip;

/// <summary>Types that are asked for or understood (RFC 1035 3.2.2, RFC 3596, RFC 2782, RFC 3403).</summary>
public enum DnsRecordType : ushort
{
    A = 1,
    Cname = 5,
    Soa = 6,
    Aaaa = 28,
    Srv = 33,
    Naptr = 35,
}

/// <summary>One record of an answer. Names have no dot at the end; the root is the empty name.</summary>
public abstract record DnsRecord(string Name, TimeSpan TimeToLive);

/// <summary>A or AAAA.</summary>
public sealed record DnsAddress(string Name, TimeSpan TimeToLive, IPAddress Address) : DnsRecord(Name, TimeToLive);

/// <summary>CNAME.</summary>
public sealed record DnsAlias(string Name, TimeSpan TimeToLive, string Target) : DnsRecord(Name, TimeToLive);

/// <summary>SRV (RFC 2782). An empty target says that the service is not offered.</summary>
public sealed record DnsService(string Name, TimeSpan TimeToLive, int Priority, int Weight, int Port, string Target) : DnsRecord(Name, TimeToLive);

/// <summary>NAPTR (RFC 3403).</summary>
public sealed record DnsNaming(string Name, TimeSpan TimeToLive, int Order, int Preference, string Flags, string Service, string Replacement)
    : DnsRecord(Name, TimeToLive);

/// <summary>What came of a question.</summary>
public enum DnsOutcome
{
    Found,

    /// <summary>The name does not exist, or has no record of this type.</summary>
    Nothing,

    /// <summary>No server gave an answer that could be read.</summary>
    Failed,
}

/// <summary>The records of the asked type, aliases followed, and how long the answer holds.</summary>
public sealed record DnsAnswer(DnsOutcome Outcome, IReadOnlyList<DnsRecord> Records, TimeSpan TimeToLive)
{
    /// <summary>How long nobody is asked again after no server answered.</summary>
    public static readonly TimeSpan FailureLife = TimeSpan.FromSeconds(5);

    public static DnsAnswer Failure { get; } = new(DnsOutcome.Failed, [], FailureLife);
}

/// <summary>Asks the DNS. Thread-safe.</summary>
public interface IDnsLookup
{
    /// <summary>Never throws for what the network does; a cancelled question is <see cref="OperationCanceledException"/>.</summary>
    Task<DnsAnswer> AskAsync(string name, DnsRecordType type, CancellationToken ct);
}
