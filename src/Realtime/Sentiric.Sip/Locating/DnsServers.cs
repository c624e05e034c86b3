using System.Net;
using System.Net.Sockets;

namespace Sentiric.Sip;

/// <summary>Where the machine asks for names (resolv.conf(5)), and the names that it knows itself (hosts(5)).</summary>
public static class DnsServers
{
    public const int Port = 53;
    private const string ResolverFile = "/etc/resolv.conf";
    private const string HostsFile = "/etc/hosts";

    /// <summary>The name servers of the machine; none when the file is missing or names none.</summary>
    public static IReadOnlyList<IPEndPoint> OfThisMachine() => File.Exists(ResolverFile) ? Parse(File.ReadLines(ResolverFile)) : [];

    /// <summary>Names that the machine's hosts file knows, in lower case.</summary>
    public static ILookup<string, IPAddress> HostsOfThisMachine() => ParseHosts(File.Exists(HostsFile) ? File.ReadLines(HostsFile) : []);

    /// <summary>The nameserver lines; what is no address is passed over, as the system's resolver does.</summary>
    public static IReadOnlyList<IPEndPoint> Parse(IEnumerable<string> lines) =>
        [.. lines.Select(Words).Where(words => words is ["nameserver", _, ..] && IPAddress.TryParse(words[1], out _)).Select(words => new IPEndPoint(IPAddress.Parse(words[1]), Port))];

    /// <summary>Lines of an address and its names.</summary>
    public static ILookup<string, IPAddress> ParseHosts(IEnumerable<string> lines) => lines.Select(Words)
        .Where(words => words.Length > 1 && IPAddress.TryParse(words[0], out _))
        .SelectMany(words => words.Skip(1).Select(name => (Name: name.ToLowerInvariant(), Address: IPAddress.Parse(words[0]))))
        .ToLookup(one => one.Name, one => one.Address, StringComparer.Ordinal);

    /// <summary>"10.0.0.1" or "10.0.0.1:5353" or "[::1]:53".</summary>
    public static bool TryParseServer(string text, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out IPEndPoint? server)
    {
        // The parser of addresses passes over a port behind brackets.
        bool mayHavePort = text.Contains("]:", StringComparison.Ordinal) || (text.Contains('.', StringComparison.Ordinal) && text.Contains(':', StringComparison.Ordinal));
        server = !mayHavePort && IPAddress.TryParse(text, out IPAddress? address) ? new IPEndPoint(address, Port) : null;
        return server is not null || (IPEndPoint.TryParse(text, out server) && server.Port > 0);
    }

    private static string[] Words(string line)
    {
        int comment = line.AsSpan().IndexOfAny('#', ';');
        return (comment < 0 ? line : line[..comment]).Split((char[]?)[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
    }
}
