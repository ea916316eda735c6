-- operating_figures -- counts and ages of the whole installation, over all tenants
SELECT figure, label, value FROM operating_figures();
