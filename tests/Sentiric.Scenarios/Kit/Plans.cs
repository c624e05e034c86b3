using System.Net.Http.Json;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Testing.Platform;

namespace Sentiric.Scenarios.Kit;

/// <summary>Numbers that the demo tenant has not.</summary>
internal static class Plans
{
    public static async Task PublishAsync(PlatformApi api, string number, string plan, DialplanAction action, DialplanActionData data)
    {
        (await api.Http.PutAsJsonAsync($"v1/dialplans/{plan}", new { name = plan, action, data }, Wire.Json)).EnsureSuccessStatusCode();
        var settings = new RouteSettings(plan, null, null, null, null, "tr", BlockAnonymous: false, GuestPolicy.CreateGuest);
        (await api.Http.PostAsJsonAsync("v1/routes", new { number, settings }, Wire.Json)).EnsureSuccessStatusCode();
    }
}
