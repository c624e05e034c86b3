using System.Globalization;

namespace Sentiric.Media;

/// <summary>
/// Whether the kernel may give our media ports to somebody's outgoing connection: it draws those from
/// <c>net.ipv4.ip_local_port_range</c> unless they stand in <c>net.ipv4.ip_local_reserved_ports</c>.
/// </summary>
public static class ReservedPorts
{
    private const string DrawnFrom = "/proc/sys/net/ipv4/ip_local_port_range", Kept = "/proc/sys/net/ipv4/ip_local_reserved_ports";

    /// <summary>How many ports of the range the kernel may draw here; 0 where that cannot be read.</summary>
    public static int Endangered(PortRange range) =>
        File.Exists(DrawnFrom) && File.Exists(Kept) ? Endangered(range, File.ReadAllText(DrawnFrom), File.ReadAllText(Kept)) : 0;

    /// <param name="drawnFrom">"32768\t60999"</param>
    /// <param name="reserved">"8080,9148,30000-31999", or nothing.</param>
    public static int Endangered(PortRange range, string drawnFrom, string reserved)
    {
        if (range.IsKernelChosen || Numbers(drawnFrom, ['\t', ' ', '\n']) is not [var first, var last]) return 0;
        var kept = reserved.Split([',', '\n'], StringSplitOptions.RemoveEmptyEntries)
            .Select(part => Numbers(part, ['-'])).Where(numbers => numbers.Length > 0).ToList();
        return Enumerable.Range(range.First, range.Last - range.First + 1)
            .Count(port => port >= first && port <= last && !kept.Any(numbers => port >= numbers[0] && port <= numbers[^1]));
    }

    private static int[] Numbers(string text, char[] separators) =>
        [.. text.Split(separators, StringSplitOptions.RemoveEmptyEntries).Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0)];
}
