package arsim

import (
	"net/http"
	"slices"
	"strings"
)

// defaultLocations are the regions and multi-regions of Artifact Registry.
func defaultLocations() []string {
	return strings.Fields(`africa-south1 asia asia-east1 asia-east2 asia-northeast1 asia-northeast2 asia-northeast3
		asia-south1 asia-south2 asia-southeast1 asia-southeast2 australia-southeast1 australia-southeast2 europe
		europe-central2 europe-north1 europe-southwest1 europe-west1 europe-west10 europe-west12 europe-west2
		europe-west3 europe-west4 europe-west6 europe-west8 europe-west9 me-central1 me-central2 me-west1
		northamerica-northeast1 northamerica-northeast2 northamerica-south1 southamerica-east1 southamerica-west1 us
		us-central1 us-east1 us-east4 us-east5 us-south1 us-west1 us-west2 us-west3 us-west4`)
}

type locationResource struct {
	Name        string            `json:"name"`
	LocationID  string            `json:"locationId"`
	DisplayName string            `json:"displayName,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
}

func location(project, id string) locationResource {
	return locationResource{
		Name: "projects/" + project + "/locations/" + id, LocationID: id,
		Labels: map[string]string{"cloud.googleapis.com/region": id},
	}
}

func (h *APIHandler) listLocations(w http.ResponseWriter, r *http.Request, rt apiRoute) error {
	p, err := h.pager(r)
	if err != nil {
		return err
	}
	ids, next := p.page(slices.Sorted(slices.Values(h.cloud.opts.Locations)))
	items := make([]locationResource, 0, len(ids))
	for _, id := range ids {
		items = append(items, location(rt.project, id))
	}
	list(w, "locations", items, next)
	return nil
}

func (h *APIHandler) getLocation(w http.ResponseWriter, _ *http.Request, rt apiRoute) error {
	writeJSON(w, http.StatusOK, location(rt.project, rt.location))
	return nil
}
