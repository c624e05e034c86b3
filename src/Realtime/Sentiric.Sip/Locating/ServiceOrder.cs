namespace Sentiric.Sip;

/// <summary>The order in which the servers of a service are tried (RFC 2782): lower priority first, among equals by weight and dice.</summary>
public static class ServiceOrder
{
    public static List<DnsService> Of(IReadOnlyList<DnsService> records, Random dice)
    {
        var ordered = new List<DnsService>(records.Count);
        foreach (IGrouping<int, DnsService> equals in records.GroupBy(one => one.Priority).OrderBy(group => group.Key))
        {
            // Weight 0 stands first, so that it has its small chance when the dice show 0.
            var left = equals.OrderBy(one => one.Weight > 0).ToList();
            while (left.Count > 0)
            {
                int drawn = dice.Next(left.Sum(one => one.Weight) + 1);
                int sum = 0;
                DnsService chosen = left.First(one => (sum += one.Weight) >= drawn);
                ordered.Add(chosen);
                left.Remove(chosen);
            }
        }

        return ordered;
    }
}
